import RE2 from 're2'
import { describe, expect, it, vi } from 'vitest'
import { buildPatternSet, buildPatternSetAsync, buildSteps } from './build.js'
import type { Pattern } from './pattern.js'

const rows = (count: number): Pattern[] =>
  Array.from({ length: count }, (_, id) => ({
    text: `(?i)shop-${id}.*(refused|denied) by \\d+`,
    mode: 'regex',
  }))

describe('buildPatternSetAsync', () => {
  it('builds the same set as the synchronous build', async () => {
    const texts = ['SHOP-17 denied by 4', 'shop-39 refused by 5', 'nothing'].map(text => Buffer.from(text))
    const [slow, fast] = [buildPatternSet(rows(300)), await buildPatternSetAsync(rows(300))]
    expect(fast.match(texts).texts).toEqual([0, 1])
    for (const at of [0, 1, 2]) expect(fast.match(texts).of(at)).toEqual(slow.match(texts).of(at))
    expect(fast.summary).toEqual(slow.summary)
  })

  it('lets the event loop go on while it builds 5,000 rows', async () => {
    let turns = 0
    let timer = setImmediate(function turn() {
      turns++
      timer = setImmediate(turn)
    })
    const set = await buildPatternSetAsync(rows(5_000))
    clearImmediate(timer)
    // However fast the machine: that much work never fits into so few slices of 3 ms.
    expect(turns).toBeGreaterThan(3)
    expect(set.match([Buffer.from('shop-4999 REFUSED by 1')]).of(0)).toEqual([4, 49, 499, 4_999])
  })

  it('pauses at least once a pattern, and while it makes tables', () => {
    const steps = buildSteps(rows(5_000))
    let count = 0
    while (!steps.next().done) count++
    expect(count).toBeGreaterThan(5_600)
  })

  it('compiles only what the previous set does not have', async () => {
    const previous = buildPatternSet(rows(30))
    const compiled = vi.spyOn(RE2.prototype, 'test')
    const next = [{ text: 'new \\d', mode: 'regex' as const }, ...rows(30).slice(10)]
    const set = await buildPatternSetAsync(next, { previous })
    const text = Buffer.from('shop-29 denied by 1, new 1')
    expect([set.match([text]).of(0), previous.match([text]).of(0)]).toEqual([
      [0, 20],
      [2, 29],
    ])
    // Both sets asked the very same RE2 about shop-29.
    const [asked] = compiled.mock.contexts.filter(re => String(re).includes('shop-29'))
    expect(compiled.mock.contexts.filter(re => re === asked)).toHaveLength(2)
  })

  it('can be given up', async () => {
    const abort = new AbortController()
    const building = buildPatternSetAsync(rows(5_000), { signal: abort.signal })
    setImmediate(() => abort.abort(new Error('the table changed again')))
    await expect(building).rejects.toThrow('the table changed again')
  })
})
