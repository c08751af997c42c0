import type { Distribution } from './distribution.js'
import { type CommandIo, type ConfigOptions, print } from './io.js'
import { load } from './load.js'

export async function printConfig(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  const { redacted } = await load(distribution, options, io)
  await print(io, redacted())
  return 0
}
