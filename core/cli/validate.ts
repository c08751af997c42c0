import { formatProblem } from '../component/index.js'
import type { Distribution } from '../service/distribution.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { load } from './load.js'

/** Prints warnings; errors are thrown by `load` and printed by `main`. */
export async function validate(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  const { settings } = await load(distribution, options, io, { checkFiles: true })
  for (const problem of settings.warnings) io.stderr.write(`${formatProblem(problem)}\n`)
  return 0
}
