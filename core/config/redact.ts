import type { Node } from './node.js'
import { REDACTED, redactUrl } from './secrets.js'

/** A normalized value to show: secrets, and what is secret in URLs, are left out. */
export function redacted(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      if (node.secret && node.value !== null && node.value !== '') return REDACTED
      return typeof node.value === 'string' ? redactUrl(node.value) : node.value
    case 'list':
      return node.items.map(redacted)
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, redacted(entry.value)]))
    case 'invalid':
      return undefined
  }
}
