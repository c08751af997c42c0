import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { BrokenAnswer, readLines } from './read-lines.js'

/** A body of these chunks that then ends, or breaks off. */
function body(chunks: readonly Buffer[], error?: Error): Readable {
  let next = 0
  return new Readable({
    read() {
      const chunk = chunks[next++]
      if (chunk) this.push(chunk)
      else if (error) this.destroy(error)
      else this.push(null)
    },
  })
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

/** Lines of no bytes too. */
function textsOf(runs: readonly Buffer[]): string[] {
  return runs.flatMap(run => run.toString('latin1').split('\n'))
}

describe('readLines', () => {
  it('hands out the lines of any bytes in any chunks, and forgets a line begun', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc
            .uint8Array({ maxLength: 30 })
            .map(bytes => Buffer.from(bytes.filter(byte => ![0, 10, 13].includes(byte)))),
        ),
        fc
          .uint8Array({ maxLength: 10 })
          .map(bytes => Buffer.from(bytes.filter(byte => ![0, 10, 13, 0x7d].includes(byte)))),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (lines, rest, sizes, breaks) => {
          const bytes = Buffer.concat([...lines.flatMap(line => [line, Buffer.from('\n')]), rest])
          const found: string[] = []
          const reading = readLines(body(cut(bytes, sizes), breaks ? new Error('cut') : undefined), {
            onRuns: got => found.push(...textsOf(got)),
          })
          // What is left of a line that is none may be the server's words.
          await reading.catch(error =>
            expect([(error.cause ?? error).message, breaks]).toEqual(['cut', true]),
          )
          expect(found).toEqual(lines.map(line => line.toString('latin1')))
        },
      ),
      runs(),
    )
  })

  it('takes a whole object at the end of the stream for a line', async () => {
    const found: string[] = []
    await readLines(body([Buffer.from('{"a":"1"}\n{"a":'), Buffer.from('"2"}')]), {
      onRuns: got => found.push(...textsOf(got)),
    })
    expect(found).toEqual(['{"a":"1"}', '{"a":"2"}'])
  })

  it.each([
    ['over the chunks', '{"a":"1"}\n', '\nthe connection has been aborted; see the last line\n'],
    ['as the last line', '{"a":"1"}\ncannot execute query: too slow\n', undefined],
    ['as a line that was not ended', '{"a":"1"}\ncannot execute query: too slow', undefined],
  ])(
    'says what the server said when it breaks off (undici 7.30.2, VictoriaLogs 1.26.0): %s',
    async (_where, text, data) => {
      const found: string[] = []
      const error = Object.assign(new Error('Invalid character in chunk size'), data && { data })
      const reading = readLines(body([Buffer.from(text)], error), {
        onRuns: got => found.push(...textsOf(got)),
      })
      const failure = await reading.catch(thrown => thrown)
      expect(failure).toBeInstanceOf(BrokenAnswer)
      expect(failure.words).toMatch(
        /^(the connection has been aborted; see the last line|cannot execute query: too slow)$/,
      )
      expect(found[0]).toBe('{"a":"1"}')
    },
  )

  it('has no words of the server when a line is cut', async () => {
    for (const text of ['{"a":"1"}\n', '{"a":"1"}\n{"b":', '']) {
      const reading = readLines(body([Buffer.from(text)], new Error('cut')), { onRuns: () => undefined })
      await expect(reading).rejects.toThrow(/^cut$/)
    }
  })

  it('stops when told, and goes on when there is room', async () => {
    const found: string[] = []
    let full = false
    let goOn = (): void => undefined
    const reading = readLines(body(cut(Buffer.from('a\nb\nc\n'), [2])), {
      onRuns: got => {
        found.push(...textsOf(got))
        full = true
      },
      full: () => full,
      onRoom: callback => {
        goOn = callback
        return () => undefined
      },
    })
    for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      await expect.poll(() => found).toEqual(expected)
      full = false
      goOn()
    }
    await reading
  })

  it('rejects when what takes the lines throws', async () => {
    const reading = readLines(body([Buffer.from('a\n')]), {
      onRuns: () => {
        throw new Error('broken')
      },
    })
    await expect(reading).rejects.toThrow('broken')
  })
})
