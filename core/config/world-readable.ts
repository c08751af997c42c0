import { basename, join } from 'node:path'
import type { ConfigEnvironment } from './environment.js'
import type { Findings } from './findings.js'
import type { Node, Path, ScalarNode } from './node.js'
import { isSecretMap, redactUrl } from './secrets.js'

/** A normalized component and where it stands. */
export interface Normalized {
  readonly path: Path
  readonly node: Node
}

const OTHERS_READ = 0o004

/**
 * Warns, once a file, of secrets that are written out in a configuration file which every user of the machine can
 * read. What comes of references is not in the file. `files`: absolute paths.
 */
export async function warnOfReadableSecrets(
  components: readonly Normalized[],
  files: readonly string[],
  environment: ConfigEnvironment,
  findings: Findings,
  /** Whoever may read the file. */
  always = false,
): Promise<void> {
  if (!environment.modeOf) return
  const found = components.flatMap(({ node, path }) => [...writtenSecrets(node, path)])
  for (const file of files) {
    const [first, ...more] = found.filter(({ node }) => fileOf(node) === file)
    if (!first) continue
    const mode = await environment.modeOf(file).catch(() => undefined)
    const read = mode !== undefined && (mode & OTHERS_READ) !== 0
    if (!read && !always) continue
    const others = more.length > 0 ? ` (and ${more.length} more)` : ''
    findings.warning(
      first.node.place,
      first.path,
      `a secret is written here${others}${read ? `, and every user can read the file (mode ${mode.toString(8).padStart(4, '0')})` : ''}`,
      read
        ? `chmod 600 ${basename(file)}, or take secrets from variables: \${env:NAME}`
        : 'take secrets from variables: ${env:NAME}',
      'secret-written-out',
    )
  }
}

interface WrittenSecret {
  readonly node: ScalarNode
  readonly path: Path
}

function* writtenSecrets(node: Node, path: Path): Generator<WrittenSecret> {
  if (node.kind === 'scalar') {
    const { value, secret = false, expansion } = node
    if (typeof value !== 'string' || value === '' || expansion) return
    if ((secret && !isHarmlessHeader(path)) || redactUrl(value) !== value) yield { node, path }
  } else if (node.kind === 'list') {
    for (const [index, item] of node.items.entries()) yield* writtenSecrets(item, [...path, index])
  } else if (node.kind === 'map') {
    for (const [key, entry] of node.entries) yield* writtenSecrets(entry.value, [...path, key])
  }
}

/** All headers count as secrets where values are shown; here only those that are named like one. */
function isHarmlessHeader(path: Path): boolean {
  const [map, header] = path.slice(-2)
  return (
    isSecretMap(String(map)) &&
    !/auth|cookie|credential|key|pass|secret|signature|token/i.test(String(header))
  )
}

/** The file that a value is written in; another path, or none, for values from elsewhere. */
function fileOf({ place: { source } }: ScalarNode): string {
  return join(source.folder, basename(source.name))
}
