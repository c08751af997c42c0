import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { merge } from './merge.js'
import { type Node, toValue } from './node.js'
import { fixedSource } from './source.js'

const place = { source: fixedSource('f', '/'), offset: 0 }

/** Maps whose keys keep their kind: `m` holds maps, `l` lists, `s` scalars. Only those merge associatively. */
const tree = fc.letrec<{ map: Node }>(tie => ({
  map: fc
    .record(
      {
        m1: fc.oneof({ maxDepth: 3 }, fc.constant(node({})), tie('map')),
        m2: fc.oneof({ maxDepth: 3 }, fc.constant(node({})), tie('map')),
        l: fc.array(fc.integer()).map(items => list(items)),
        s: fc.integer().map(scalar),
      },
      { requiredKeys: [] },
    )
    .map(node),
})).map

describe('merge', () => {
  it('is associative', () => {
    fc.assert(
      fc.property(tree, tree, tree, (a, b, c) => {
        expect(toValue(merge(merge(a, b), c))).toEqual(toValue(merge(a, merge(b, c))))
      }),
      runs(),
    )
  })

  it('takes the later value, lists as a whole, and keeps what only one has', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const merged = toValue(merge(a, b)) as { l?: number[]; s?: number }
        const [earlier, later] = [toValue(a), toValue(b)] as { l?: number[]; s?: number }[]
        expect(merged.l).toEqual(later?.l ?? earlier?.l)
        expect(merged.s).toEqual(later?.s ?? earlier?.s)
        expect(toValue(merge(a, a))).toEqual(earlier)
      }),
      runs(),
    )
  })
})

function scalar(value: number): Node {
  return { kind: 'scalar', place, value, text: String(value) }
}

function list(items: readonly number[]): Node {
  return { kind: 'list', place, items: items.map(scalar) }
}

function node(entries: { readonly [key: string]: Node | undefined }): Node {
  const given = Object.entries(entries).filter(([, value]) => value !== undefined)
  return {
    kind: 'map',
    place,
    entries: new Map(given.map(([key, value]) => [key, { key: place, value: value! }])),
  }
}
