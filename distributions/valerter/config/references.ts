import type { Entry, MapNode, Node, Path } from '../../../core/config/index.js'

const VARIABLE = /\$\{[A-Za-z_]\w*\}/g
/** Templates are text, but for the body of a webhook: its tokens stand there. */
const TEMPLATES = new Set(['subject_template', 'body_template'])

/**
 * Valerter replaces `${NAME}` in sources and notifiers and nowhere else; we replace more, everywhere. All other `$` are
 * doubled, which stands for one.
 */
export function withValerterReferences(root: MapNode): MapNode {
  const notifiers = root.entries.get('notifiers')?.value
  return escaped(root, [], path => {
    if (path[0] === 'victorialogs') return true
    if (path[0] !== 'notifiers') return false
    const notifier = notifiers?.kind === 'map' ? notifiers.entries.get(String(path[1]))?.value : undefined
    const type = notifier?.kind === 'map' ? notifier.entries.get('type')?.value : undefined
    const isWebhook = type?.kind === 'scalar' && type.value === 'webhook'
    return isWebhook || !TEMPLATES.has(String(path[2]))
  }) as MapNode
}

function escaped(node: Node, path: Path, replaced: (path: Path) => boolean): Node {
  switch (node.kind) {
    case 'scalar': {
      if (typeof node.value !== 'string' || !node.text.includes('$')) return node
      const { offsetOf: _moved, ...rest } = node
      const text = replaced(path) ? doubledBetween(node.text) : node.text.replaceAll('$', '$$$$')
      return { ...rest, value: text, text }
    }
    case 'list':
      return { ...node, items: node.items.map((item, at) => escaped(item, [...path, at], replaced)) }
    case 'map': {
      const entries = [...node.entries].map(([key, entry]): [string, Entry] => [
        key,
        { ...entry, value: escaped(entry.value, [...path, key], replaced) },
      ])
      return { ...node, entries: new Map(entries) }
    }
    case 'invalid':
      return node
  }
}

function doubledBetween(text: string): string {
  let out = ''
  let from = 0
  for (const match of text.matchAll(VARIABLE)) {
    out += text.slice(from, match.index).replaceAll('$', '$$$$') + match[0]
    from = match.index + match[0].length
  }
  return out + text.slice(from).replaceAll('$', '$$$$')
}
