import { type CommandIo, main } from 'tocsin'
import { errorText } from 'tocsin/component'
import { DEFAULT_PATH, type ValerterCall, valerterCall, withValerterPath } from './arguments.js'
import { valerter } from './index.js'

const USAGE = `As Valerter's command: tocsin-valerter [-c|--config PATH] [--validate] [--log-format text|json]
  PATH is ${DEFAULT_PATH} unless given; --validate checks it and says what there is, without secrets.
  LOG_FORMAT (text, json) and RUST_LOG (a level) count. Exit code 0: stopped on request, or valid; 1: anything else.

`

/** `tocsin-valerter`: Valerter's command line, and the commands of ours. The answer is the exit code. */
export async function runValerter(argv: readonly string[], io: CommandIo): Promise<number> {
  let call: ValerterCall | undefined
  try {
    call = valerterCall(argv, io.env)
  } catch (error) {
    io.stderr.write(`${errorText(error)}\n(tocsin-valerter --help shows what there is)\n`)
    return 1
  }
  if (!call) {
    if (/^(-h|--help)$/.test(argv[0] ?? '')) io.stdout.write(USAGE)
    return main(valerter, withValerterPath(argv), io)
  }
  const options = [
    ...call.config.flatMap(source => ['--config', source]),
    ...call.set.flatMap(set => ['--set', set]),
  ]
  // Valerter has 0 and 1.
  if (!call.validate) return (await main(valerter, options, io)) === 0 ? 0 : 1
  const code = await main(valerter, ['validate', ...options], io)
  if (code !== 0) return code
  const { summaryOf } = await import('./summary.js')
  io.stdout.write(await summaryOf(call.config[0] as string, io))
  return 0
}
