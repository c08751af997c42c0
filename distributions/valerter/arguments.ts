import { parseArgs } from 'node:util'

/** What a call of Valerter means for the command of ours. */
export interface ValerterCall {
  /** `--validate`: check, say what was found, and leave. */
  readonly validate: boolean
  readonly config: readonly string[]
  readonly set: readonly string[]
}

export const DEFAULT_PATH = '/etc/valerter/config.yaml'

/** The commands that both have nothing of but we do. */
const COMMANDS = ['validate', 'print-config', 'components', 'schema', 'new', 'dead-letter', 'help'] as const

/**
 * Valerter's flags as ours, or undefined for a command of ours, help and the version. Throws on a flag that neither
 * knows.
 */
export function valerterCall(
  argv: readonly string[],
  env: { readonly [name: string]: string | undefined },
): ValerterCall | undefined {
  const [first = ''] = argv
  if ((COMMANDS as readonly string[]).includes(first) || /^(-h|--help|-v|-V|--version)$/.test(first))
    return undefined
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: 'string', short: 'c', multiple: true },
      set: { type: 'string', multiple: true },
      validate: { type: 'boolean' },
      'log-format': { type: 'string' },
    },
  })
  return {
    validate: values.validate === true,
    config: sourcesOf(values.config ?? []),
    set: [...logSettings(values['log-format'] ?? env.LOG_FORMAT, env.RUST_LOG), ...(values.set ?? [])],
  }
}

/** The first one is Valerter's; what comes after it is merged over what that becomes. */
export function sourcesOf(given: readonly string[]): readonly string[] {
  const [first = DEFAULT_PATH, ...others] = given
  return [/^[a-z]+:/i.test(first) ? first : `valerter:${first}`, ...others]
}

/** A command of ours takes a Valerter path where it takes a configuration. */
export function withValerterPath(argv: readonly string[]): readonly string[] {
  const [command = ''] = argv
  if (!/^(validate|print-config|components|dead-letter)$/.test(command)) return argv
  const at = argv.findIndex(text => /^(-c|--config)(=|$)/.test(text))
  if (at < 0) {
    return command === 'components' || (command === 'dead-letter' && argv.length < 2)
      ? argv
      : [...argv, '--config', `valerter:${DEFAULT_PATH}`]
  }
  const [flag = '', joined] = (argv[at] as string).split(/=(.*)/s)
  const [first = ''] = sourcesOf([joined ?? argv[at + 1] ?? DEFAULT_PATH])
  return [...argv.slice(0, at), flag, first, ...argv.slice(at + (joined === undefined ? 2 : 1))]
}

/** `RUST_LOG` may name modules, `valerter=debug,info`: the most that is asked for. */
function logSettings(format: string | undefined, level: string | undefined): readonly string[] {
  const key = 'service.telemetry.logs'
  if (format !== undefined && format !== 'text' && format !== 'json')
    throw new Error(`--log-format is text or json, not "${format}"`)
  const levels = (level ?? '')
    .toLowerCase()
    .split(',')
    .map(part => part.split('=').at(-1)?.trim())
  const most = ['trace', 'debug', 'info', 'warn', 'error'].find(one => levels.includes(one))
  return [
    ...(format === undefined ? [] : [`${key}.encoding=${format === 'json' ? 'json' : 'console'}`]),
    ...(most === undefined ? [] : [`${key}.level=${most === 'trace' ? 'debug' : most}`]),
  ]
}
