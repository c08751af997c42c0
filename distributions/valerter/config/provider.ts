import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { ConfigEnvironment, Formats, LoadedSource } from '../../../core/config/index.js'
import { victorialogsReceiver } from '../../../receivers/victorialogs/index.js'
import { checkValerter } from './check.js'
import { composeTocsin } from './compose.js'
import { readValerter } from './read.js'
import type { ValerterConfig } from './types.js'

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
  const {
    config,
    tree,
    problems: found,
  } = await checkValerter(
    { ...directory, root },
    environment,
    await formats.load(new Set(['regex', 'jinja'])),
    checkQuery,
  )
  if (!config) return { problems: found, files }
  const stateDirectory = await stateDirectoryOf(path, environment)
  const node = composeTocsin({ config, tree, stateDirectory })
  const notes = [
    noteOf(config, path),
    ...(stateDirectory === undefined
      ? [
          `Checkpoints, queues and throttles are lost at a restart: neither STATE_DIRECTORY nor ${STATE_DIRECTORY} can be written.`,
        ]
      : []),
  ]
  return { node, problems: found, files, notes, valerter: config }
}

/** What VictoriaLogs does not tail is known where its receiver is. */
function checkQuery(query: string) {
  const problems = victorialogsReceiver.check?.({ endpoint: 'http://127.0.0.1', query } as never) ?? []
  return problems.filter(({ path }) => path[0] === 'query')
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
  const count = (what: string, of: object): string => {
    const { length } = Object.keys(of)
    return `${length} ${what}${length === 1 ? '' : 's'}`
  }
  const { version, sources, rules, templates, notifiers } = config
  const off = Object.values(rules).filter(({ enabled }) => enabled === false).length
  const disabled = off > 0 ? ` (${off} disabled)` : ''
  const shape = version === 1 ? '1.x, one source' : `2.x, ${count('source', sources)}`
  return `Read the Valerter configuration ${path}: ${shape}, ${count('rule', rules)}${disabled}, ${count('template', templates)}, ${count('notifier', notifiers)}.`
}
