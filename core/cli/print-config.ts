import type { Distribution } from '../service/distribution.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { load } from './load.js'

export async function printConfig(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  const { redacted } = await load(distribution, options, io)
  io.stdout.write(redacted())
  return 0
}
