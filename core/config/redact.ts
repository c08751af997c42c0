import { type Catalog, SECTIONS } from './catalog.js'
import type { WithInline } from './inline.js'
import type { MapNode, Node, ScalarNode } from './node.js'
import { toValue } from './node.js'
import { normalize } from './normalize.js'
import type { DefinedByKind } from './pipelines.js'
import { REDACTED, redactText, redactUrlPath } from './secrets.js'

/**
 * The configuration to show: what pipelines write in place stays there. A secret that came of a reference is shown as
 * the reference, so that what is printed can be kept; one that is written out is left out.
 */
export function redactedConfig(
  { root, inline, presets }: WithInline,
  defined: DefinedByKind,
  service: Node,
  catalog: Catalog,
): { [section: string]: unknown } {
  const shown: { [section: string]: unknown } = {}
  for (const [section, kind] of SECTIONS) {
    const own = presets
      .filter(preset => preset.section === section)
      .map(({ id, entry }) => {
        const factory = catalog.factory(kind, id.split('/')[0] as string)
        return [id, redacted(normalize(entry.value, factory ? catalog.schema(factory) : {}, [], []))] as const
      })
    const others = [...defined[kind]].filter(([id]) => !inline.has(`${section}/${id}`))
    const all = [...own, ...others.map(([id, { node }]) => [id, redacted(node)] as const)]
    if (all.length > 0) shown[section] = Object.fromEntries(all)
  }
  const packages = root.entries.get('packages')
  if (packages) shown.packages = toValue(packages.value)
  shown.service = redacted(service, (text, role) => {
    const found = inline.get(`${role}/${text}`)
    const kind = SECTIONS.find(([section]) => section === role)?.[1]
    const node = kind && defined[kind].get(text)?.node
    return found && node?.kind === 'map' && found.settings.kind === 'map'
      ? { [found.written]: redacted(settingsOf(node, found.settings)) }
      : text
  })
  return shown
}

/** What was written in the pipeline, in the form of its schema. */
function settingsOf(whole: MapNode, written: MapNode): MapNode {
  const keys = [...whole.entries].filter(([key, entry]) => written.entries.has(entry.written ?? key))
  return { ...whole, entries: new Map(keys) }
}

/** `item`: what stands for an item of a list below a key. */
function redacted(
  node: Node,
  item: (text: string, key: string) => unknown = text => text,
  key = '',
): unknown {
  switch (node.kind) {
    case 'scalar':
      return scalar(node)
    case 'list':
      return node.items.map(one =>
        one.kind === 'scalar' && typeof one.value === 'string' && !one.secret
          ? item(scalar(one) as string, key)
          : redacted(one, item, key),
      )
    case 'map':
      return Object.fromEntries(
        [...node.entries].map(([name, { value }]) => [name, redacted(value, item, name)]),
      )
    case 'invalid':
      return undefined
  }
}

/** A reference and nothing else that could be secret; a default may be. */
const NO_SECRET = /^(?:(?:Bearer|Basic|Token) )?\$\{(?:(?:env:)?\w+|file:[^:{}$]+)\}$/i

function scalar({ value, secret, secretPath, expansion }: ScalarNode): unknown {
  const reference = expansion && NO_SECRET.test(expansion.written) ? expansion.written : undefined
  if (secret && value !== null && value !== '') return reference ?? REDACTED
  if (typeof value !== 'string') return value
  if (secretPath && reference) return reference
  // Read again, it must not be taken for a reference.
  return (secretPath ? redactUrlPath(value) : redactText(value)).replace(/\$(?=[${])/g, '$$$$')
}
