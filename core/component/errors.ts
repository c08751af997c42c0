/**
 * Tocsin's errors. `code` is stable and may be matched by programs; the message is for people.
 * Errors may come from another copy of this package: test with `isTocsinError`, not with `instanceof`.
 */
export class TocsinError extends Error {
  override readonly name: string = 'TocsinError'

  constructor(
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Trying again later may help: a network fault, a busy server. */
export class RetryableError extends TocsinError {
  override readonly name = 'RetryableError'

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, true, options)
  }
}

/** Trying again cannot help. */
export class PermanentError extends TocsinError {
  override readonly name = 'PermanentError'

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, false, options)
  }
}

/** One mistake in a configuration. Lines and columns count from 1. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** What kind of problem it is, for `tocsin lint`: kebab-case, stable, explained in docs/lint.md. */
  readonly code?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** Where in the configuration, from the root: `['receivers', 'file_log/x', 'include', 0]`. */
  readonly path: readonly (string | number)[]
  /** What is wrong, and what was found. */
  readonly message: string
  /** How to fix it: what is valid, the nearest name, an example. */
  readonly fix?: string
  /** Lines of YAML to put into the configuration. */
  readonly paste?: string
  /** Lines of the file that do nothing: `tocsin lint --fix` takes them out. */
  readonly removeLines?: { readonly from: number; readonly to: number }
}

/** All that is wrong with a configuration, at once. */
export class ConfigError extends TocsinError {
  override readonly name = 'ConfigError'

  constructor(readonly problems: readonly Problem[]) {
    super('invalid_configuration', problems.map(formatProblem).join('\n'), false)
  }
}

/**
 * `FILE:LINE:COLUMN: KEY.PATH: what is wrong (and the fix)`. What a message shows below its first line, such as an
 * expression with a caret at the fault, follows the fix.
 */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter(part => part !== undefined).join(':')
  const fix = problem.fix ? ` (${problem.fix})` : ''
  const warning = problem.severity === 'warning' ? 'warning: ' : ''
  const [message, ...shown] = problem.message.split('\n')
  const line = [place, formatKeyPath(problem.path), `${warning}${message}${fix}`]
    .filter(part => part !== '')
    .join(': ')
  return [line, ...shown, ...pasteLines(problem)].join('\n')
}

/** The lines to put into the configuration, indented below the problem. */
export function pasteLines({ paste }: Problem): string[] {
  return (paste ?? '').split('\n').flatMap(line => (line === '' ? [] : [`    ${line}`]))
}

/** `service.pipelines.logs/x.receivers[0]`. */
export function formatKeyPath(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  )
}

/** Whether an error is of this family, from whichever copy of the package. */
export function isTocsinError(error: unknown): error is TocsinError {
  return error instanceof Error && typeof (error as TocsinError).code === 'string' && 'retryable' in error
}

/** The message of anything thrown, with that of its cause where it does not say it: for logs and problem texts. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const message = error.message || (error as NodeJS.ErrnoException).code || error.name
  const cause = error.cause instanceof Error ? error.cause.message : ''
  return message.includes(cause) ? message : `${message}: ${cause}`
}
