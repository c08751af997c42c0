import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { ConfigEnvironment, Formats, LoadedSource } from '../../../core/config/index.js'
import { checkValerter } from './check.js'
import { composeTocsin } from './compose.js'
import { readValerter } from './read.js'
import { restater } from './restate.js'
import { sourcesOf, type ValerterConfig } from './types.js'

const STATE_DIRECTORY = '/var/lib/tocsin'

export interface ReadValerter extends LoadedSource {
  readonly valerter?: ValerterConfig
}

/** Reads a Valerter configuration as one of ours. */
export async function readAsTocsin(
  path: string,
  environment: ConfigEnvironment,
  formats: Formats,
): Promise<ReadValerter> {
  const directory = await readValerter(path, environment)
  const { root, files, problems } = directory
  if (!root) return { problems, files }
  const loaded = await formats.load(new Set(['regex', 'jinja']))
  const {
    config,
    tree,
    bodies,
    problems: found,
  } = await checkValerter({ ...directory, root }, environment, loaded)
  const failed = found.some(({ severity }) => severity === 'error')
  const stateDirectory = await stateDirectoryOf(path, environment)
  // What is valid is looked at as ours even where something is not, so that all problems are told at once.
  const valid = failed ? withoutBroken(config) : config
  const node = composeTocsin({ config: valid, tree, bodies, stateDirectory })
  const notes = [
    noteOf(config, path),
    ...(stateDirectory === undefined
      ? [
          `Checkpoints, queues and throttles are lost at a restart: neither STATE_DIRECTORY nor ${STATE_DIRECTORY} can be written.`,
        ]
      : []),
  ]
  return {
    node,
    problems: found,
    files,
    notes,
    restate: restater(tree, found),
    ...(!failed && { valerter: config }),
  }
}

/** Without the rules that name what is not there. */
function withoutBroken(config: ValerterConfig): ValerterConfig {
  const { templates, notifiers, sources } = config
  const whole = Object.entries(config.rules).filter(([, rule]) => {
    const { template, destinations } = rule.notify
    const from = sourcesOf(rule, config)
    return (
      from.length > 0 &&
      from.every(name => sources[name]) &&
      templates[template] !== undefined &&
      destinations.every(name => notifiers[name])
    )
  })
  return { ...config, rules: Object.fromEntries(whole) }
}

/** The one that systemd gives; else a folder of this configuration's own in ours, if that can be written. */
async function stateDirectoryOf(
  path: string,
  { env, cwd, mayWrite }: ConfigEnvironment,
): Promise<string | undefined> {
  const given = env.STATE_DIRECTORY?.split(':')[0]
  if (given) return given
  const folder = dirname(resolve(cwd, path))
  const own = createHash('sha256').update(folder).digest('hex').slice(0, 8)
  return (await mayWrite?.(STATE_DIRECTORY)) ? `${STATE_DIRECTORY}/valerter-${own}` : undefined
}

function noteOf(config: ValerterConfig, path: string): string {
  const count = (what: string, of: object): string => counted(Object.keys(of).length, what)
  const { version, sources, rules, templates, notifiers } = config
  const off = Object.values(rules).filter(({ enabled }) => enabled === false).length
  const disabled = off > 0 ? ` (${off} disabled)` : ''
  const shape = version === 1 ? '1.x, one source' : `2.x, ${count('source', sources)}`
  return `Read the Valerter configuration ${path}: ${shape}, ${count('rule', rules)}${disabled}, ${count('template', templates)}, ${count('notifier', notifiers)}.`
}

/** `1 rule`, `2 rules`. */
export function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
