import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { ConfigError, errorText, formatProblem, PermanentError } from '../component/index.js'
import { NOT_ALL_DELIVERED } from './closing-report.js'
import type { DeadLetterOptions } from './dead-letter.js'
import type { Distribution } from './distribution.js'
import type { ExplainOptions } from './explain/command.js'
import { type CommandIo, type ConfigOptions, print } from './io.js'
import { keepAlive } from './keep-alive.js'
import { nativeModuleHint } from './native-module.js'
import type { NewOptions } from './new-component.js'
import { oldNodeHint } from './old-node.js'
import type { ReplayCommandOptions } from './replay/command.js'
import type { TapOptions } from './tap.js'
import type { TestOptions } from './test/command.js'
import { unexpectedArgument } from './unexpected-argument.js'

/** Runs the command line of a distribution; each command loads what it needs. The answer is the exit code: see `EXIT_CODES`. */
export async function main(
  distribution: Distribution,
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  for (const stream of [io.stdout, io.stderr]) {
    if (!stream.listeners('error').includes(outlive)) stream.on('error', outlive)
  }
  let exitCode = 0
  const finish = (code: number): void => {
    exitCode = code
  }
  const program = new Command(distribution.name)
    .description(distribution.description)
    .version(`${distribution.name} ${distribution.version}`, '-v, --version')
    .exitOverride()
    .configureOutput({ writeOut: text => io.stdout.write(text), writeErr: text => io.stderr.write(text) })
    .showHelpAfterError(`(${distribution.name} --help shows what there is)`)
    .addHelpText('after', EXIT_CODES)
    .enablePositionalOptions()
    .allowExcessArguments()
    .hook('preAction', (_, command) => {
      const tooOld = oldNodeHint(distribution.name)
      if (tooOld !== undefined) throw new PermanentError('old_node', tooOld)
      const mistake = unexpectedArgument(program, command)
      if (mistake !== undefined) command.error(`error: ${mistake}`)
    })

  withConfig(program).action(async (options: ConfigOptions) =>
    finish(await (await import('./run.js')).run(distribution, options, io)),
  )
  withConfig(program.command('validate'))
    .description(
      'check a configuration: one problem a line on standard error, exit code 1 when there is an error',
    )
    .action(async options =>
      finish(await (await import('./validate.js')).validate(distribution, options, io)),
    )
  withConfig(program.command('lint'))
    .description(
      'say what is valid in a configuration and its tables and yet hardly meant; exit code 1 when there is something',
    )
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json', 'sarif']).default('text'),
    )
    .option('--log <file...>', 'log files, gzip too: rows of a table that match none of their lines are told')
    .option('--ignore <code...>', 'codes to leave out')
    .option('--fix', 'take rows that do nothing out of their files')
    .action(async options => finish(await (await import('./lint.js')).lint(distribution, options, io)))
  withConfig(program.command('print-config'))
    .description('print the configuration merged and expanded, with secrets redacted')
    .action(async options =>
      finish(await (await import('./print-config.js')).printConfig(distribution, options, io)),
    )
  withConfig(program.command('components'))
    .description('list the components: kind, type, stability; with --config also those of its packages')
    .option('--json', 'as JSON')
    .action(async options =>
      finish(await (await import('./components.js')).listComponents(distribution, options, io)),
    )
  withConfig(program.command('schema'))
    .description(
      'print the JSON Schema of the configuration, for editors; with --config also of the components of its packages',
    )
    .action(async (options: ConfigOptions) => {
      const schema = await (await import('./load.js')).configSchema(distribution, options, io)
      await print(io, `${JSON.stringify(schema, null, 2)}\n`)
    })
  program
    .command('new')
    .description('write a package for a component of your own')
    .argument('<kind>', 'receiver, processor, exporter, connector or extension')
    .argument('<name>', 'the type, snake_case: its folder is made here')
    .option('--typescript', 'in TypeScript')
    .option('--javascript', 'in JavaScript, with types in comments: the default where nobody can be asked')
    .option('--keyed', 'a processor with state for each key')
    .action(async (kind: string, name: string, options: NewOptions) =>
      finish(await (await import('./new-component.js')).newComponent(distribution, kind, name, options, io)),
    )
  addTrials(program, distribution, io, finish)
  addExplain(program, distribution, io, finish)
  withConfig(program.command('notify'))
    .description(
      'send a sample alert, marked as a test, and its recovery through one exporter, and print request and answer',
    )
    .argument('<exporter>', 'its id, such as webhook/oncall')
    .action(async (exporter: string, options: ConfigOptions) =>
      finish(await (await import('./notify.js')).notify(distribution, exporter, options, io)),
    )
  program
    .command('tap')
    .description('show what flows at a point of a running collector; without a point, which there are')
    .argument('[point]', 'a pipeline, such as logs, or a component, such as processor/stateful_alert')
    .option('--condition <ottl>', 'only records for which it is true')
    .option('--sample <share>', 'a random share of them, such as 0.01', shareOf)
    .option('--rate <n>', 'at most so many records a second (default: 100)', countOf)
    .option('-n, --count <n>', 'end after so many', countOf)
    .option('--json', 'one JSON object a line')
    .option('--pid <pid>', 'of the collector, where several run')
    .option('--socket <path>', 'of the collector, where the configuration names one')
    .action(async (point: string | undefined, options: TapOptions) =>
      finish(await (await import('./tap.js')).tap(point, options, io)),
    )
  addDeadLetter(program, distribution, io, finish)
  if (distribution.demo) {
    const { demo } = distribution
    program
      .command('demo')
      .description('show the main job on a small simulated service; needs nothing else')
      .action(async () =>
        finish(await (await import('./run.js')).run(distribution, { config: [demo], set: [] }, io)),
      )
  }

  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    // Nobody reads the rest of the output, as with `| head`.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 1
    const text =
      error instanceof ConfigError
        ? error.problems.map(formatProblem).join('\n')
        : (nativeModuleHint(error, distribution.folder) ?? errorText(error))
    io.stderr.write(`${text}\n`)
    return 1
  }
}

const EXIT_CODES = `
Exit codes: 0 stopped on request, or all inputs have ended and everything was delivered; 1 an invalid configuration
or a fatal error; ${NOT_ALL_DELIVERED} all inputs have ended, and not everything was delivered: the last line says what, and where it is.`

function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a whole number of at least 1.')
}

function shareOf(text: string): number {
  const share = Number(text)
  if (share > 0 && share <= 1) return share
  throw new InvalidArgumentError('It is a number above 0, up to 1.')
}

/** A collector outlives whoever reads its log, and the disk that it is written to. */
function outlive(): void {}

function addTrials(
  program: Command,
  distribution: Distribution,
  io: CommandIo,
  finish: (code: number) => void,
): void {
  withConfig(program.command('test'))
    .description('run tests of pipelines (*.test.yaml), on a clock of their own: exit code 1 when one fails')
    .argument('[files...]', 'files, folders or globs; default: all here and below')
    .option('--filter <text>', 'only tests whose name has this text')
    .option('--update', 'write the snapshots anew')
    .option('--coverage [percent]', 'show the rows of tables that no test fires; fail below so many percent')
    .option('--junit <file>', 'also write the results as JUnit XML')
    .option('--tap', 'print TAP instead')
    .option('--watch', 'run again when a file changes')
    .action(async (files: string[], options: TestOptions) => {
      const { test } = await import('./test/command.js')
      finish(await keepAlive(() => test(distribution, files, options, io)))
    })
  withConfig(program.command('replay'))
    .description(
      'show what a configuration would have done with past logs, on their own time; nothing is sent',
    )
    .argument('[inputs...]', 'log files (.gz too; OTLP JSON lines too), - for standard input; RECEIVER=FILE')
    .option('--receiver <id>', 'the receiver that reads them, where there are several')
    .option('--from <time>', 'read from a source that keeps its logs: RFC 3339, or how long ago, such as 24h')
    .option('--to <time>', 'until then; default: now')
    .option('--time-zone <zone>', 'of times in lines that name none; default UTC')
    .option(
      '--year <year>',
      'of times in lines that name none; default: the latest that is not in the future',
    )
    .option(
      '--against <file>',
      'another configuration, or table (.csv): what it would change, alert by alert',
    )
    .option('--suggest', 'propose thresholds, from how many matches came together')
    .option('--top <count>', 'how many of the noisiest keys to show; default 10')
    .option('--html <file>', 'also write it as a page, with a timeline')
    .option('--json', 'as JSON')
    .action(async (inputs: string[], options: ReplayCommandOptions) => {
      const { replay } = await import('./replay/command.js')
      finish(await keepAlive(() => replay(distribution, inputs, options, io)))
    })
}

function addExplain(
  program: Command,
  distribution: Distribution,
  io: CommandIo,
  finish: (code: number) => void,
): void {
  withConfig(program.command('explain'))
    .description(
      'say what happens to one line and why: rows that match or nearly do, keys, state, what would be sent, what stops it',
    )
    .argument('[line]', 'the line, in quotes; without it, or with -, from standard input')
    .option('--event-id <id>', 'of a notification: what happened, from the alert history, and its line')
    .option('--pipeline <name>', 'the pipeline that it comes to, where there are several')
    .option('--receiver <id>', 'the receiver that reads it, where there are several')
    .option('--at <time>', 'as if it came then: RFC 3339, or how long ago, such as 1h; default: now')
    .option(
      '--attribute <name=value>',
      'of the record; repeat it for more',
      (value: string, previous: string[]) => [...previous, value],
      [],
    )
    .option(
      '--collector <url>',
      'the dashboard of a running collector, for alerts and silences that it has in memory; or its alertmanager_api, for silences',
    )
    .option('--json', 'as JSON')
    .action(async (line: string | undefined, options: ExplainOptions) => {
      const { explain } = await import('./explain/command.js')
      finish(await keepAlive(() => explain(distribution, line, options, io)))
    })
}

function addDeadLetter(
  program: Command,
  distribution: Distribution,
  io: CommandIo,
  finish: (code: number) => void,
): void {
  const deadLetter = program
    .command('dead-letter')
    .description('show, send again or drop what could not be delivered; the collector may be running')
  const component = ['--component <id>', 'only those of this component, such as webhook/oncall'] as const
  withConfig(deadLetter.command('list'))
    .description('list the dead letters, oldest first')
    .option(...component)
    .option('--json', 'one JSON object a line, with the records')
    .action(async (options: DeadLetterOptions) =>
      finish(await (await import('./dead-letter.js')).listDeadLetters(distribution, options, io)),
    )
  for (const [name, description, act] of [
    ['retry', 'queue dead letters again for their exporter', 'retryDeadLetters'],
    ['drop', 'remove dead letters for good', 'dropDeadLetters'],
  ] as const) {
    const command = withConfig(deadLetter.command(name))
    if (name === 'drop') {
      command.option('--queue <exporter>', 'the queue that an exporter left which is no longer in use')
    }
    command
      .description(description)
      .argument('[ids...]', 'ids, as "list" shows them')
      .option(...component)
      .option('--all', 'all of them')
      .action(async (ids: string[], options: DeadLetterOptions) =>
        finish(await (await import('./dead-letter.js'))[act](distribution, ids, options, io)),
      )
  }
}

function withConfig(command: Command): Command {
  const collect = (value: string, previous: string[]): string[] => [...previous, value]
  return command
    .option(
      '-c, --config <source>',
      'a file, folder or glob, or file: env: yaml: http(s): source; repeat it to merge, later wins',
      collect,
      [],
    )
    .option('--set <key=value>', 'set one value, such as receivers.file_log.start_at=beginning', collect, [])
}
