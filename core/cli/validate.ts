import { ConfigError, formatProblem, type Problem } from '../component/index.js'
import type { Distribution } from './distribution.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { load } from './load.js'

/** Prints errors and warnings, one a line, for programs too. */
export async function validate(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  const print = (problems: readonly Problem[]): void => {
    for (const problem of problems) io.stderr.write(`${firstLine(formatProblem(problem))}\n`)
  }
  try {
    const { settings } = await load(distribution, options, io, { checkFiles: true })
    print(settings.warnings)
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    print(error.problems)
    return 1
  }
}

/** Without the expression and its caret: the column says where in the file it is. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
