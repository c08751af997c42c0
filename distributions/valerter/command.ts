import { type CommandIo, main } from 'tocsin'
import { errorText } from 'tocsin/component'
import { type ValerterCall, valerterCall, withValerterPath } from './arguments.js'
import { valerter } from './index.js'

/** `tocsin-valerter`: Valerter's command line, and the commands of ours. The answer is the exit code. */
export async function runValerter(argv: readonly string[], io: CommandIo): Promise<number> {
  let call: ValerterCall | undefined
  try {
    call = valerterCall(argv, io.env)
  } catch (error) {
    io.stderr.write(`${errorText(error)}\n(tocsin-valerter --help shows what there is)\n`)
    return 1
  }
  if (!call) return main(valerter, withValerterPath(argv), io)
  const options = [
    ...call.config.flatMap(source => ['--config', source]),
    ...call.set.flatMap(set => ['--set', set]),
  ]
  if (!call.validate) return main(valerter, options, io)
  const code = await main(valerter, ['validate', ...options], io)
  if (code !== 0) return code
  const { summaryOf } = await import('./summary.js')
  io.stdout.write(await summaryOf(call.config[0] as string, io))
  return 0
}
