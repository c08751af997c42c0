import { ConfigError, formatProblem, type Problem, pasteLines } from '../component/index.js'
import type { ServiceSettings } from '../service/settings.js'
import type { Distribution } from './distribution.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { load } from './load.js'

/** Prints errors and warnings on standard error, one a line, for programs too; that all is well on standard output. */
export async function validate(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  const print = (problems: readonly Problem[]): void => {
    for (const problem of problems)
      io.stderr.write(`${[firstLine(formatProblem(problem)), ...pasteLines(problem)].join('\n')}\n`)
  }
  try {
    const { settings } = await load(distribution, options, io, { checkFiles: true })
    print(settings.warnings)
    io.stdout.write(`${summaryOf(settings)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    print(error.problems)
    return 1
  }
}

/** `OK: pipeline logs with 1 receiver, 2 processors, 1 exporter`: what a start would run. */
function summaryOf({ graph, extensions, warnings }: ServiceSettings): string {
  const pipelines = [...graph.pipelines.values()]
  const used = (role: 'receivers' | 'processors' | 'exporters'): number =>
    new Set(pipelines.flatMap(pipeline => pipeline[role])).size
  const parts = [
    counted(used('receivers'), 'receiver'),
    counted(used('processors'), 'processor'),
    counted(used('exporters'), 'exporter'),
    counted(extensions.size, 'extension'),
  ].filter(part => part !== '')
  const names = pipelines.map(({ id }) => id).join(', ')
  const shown = pipelines.length === 1 ? `pipeline ${names}` : `${pipelines.length} pipelines (${names})`
  const warned = warnings.length > 0 ? `; ${counted(warnings.length, 'warning')} above` : ''
  return `OK: ${shown} with ${parts.join(', ')}${warned}`
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`
}

/** Without the expression and its caret: the column says where in the file it is. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
