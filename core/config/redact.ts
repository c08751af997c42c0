import type { Node } from './node.js'
import { REDACTED, redactText, redactUrlPath } from './secrets.js'

/** A normalized value to show: secrets, and what is secret in URLs, are left out. */
export function redacted(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      if (node.secret && node.value !== null && node.value !== '') return REDACTED
      if (typeof node.value !== 'string') return node.value
      return node.secretPath ? redactUrlPath(node.value) : redactText(node.value)
    case 'list':
      return node.items.map(redacted)
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, redacted(entry.value)]))
    case 'invalid':
      return undefined
  }
}
