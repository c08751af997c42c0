import { describe, expect, it } from 'vitest'
import { atOnce, type Steps } from '../../component/in-slices.js'
import { createRecord } from '../../model/index.js'
import { decodeOtlpJson, decodeOtlpProto, encodeOtlpJsonSteps, encodeOtlpProtoSteps } from './index.js'

const records = Array.from({ length: 1_000 }, (_, index) =>
  createRecord({ id: `${index}`, timestamp: 1n, body: `line ${index}` }),
)

describe.each([
  ['JSON', encodeOtlpJsonSteps, (bytes: Buffer) => decodeOtlpJson(bytes, { id: String })],
  ['protobuf', encodeOtlpProtoSteps, (bytes: Buffer) => decodeOtlpProto(bytes).flat()],
] as const)('as %s', (_, encode, decode) => {
  it('a request may be put aside after each record', () => {
    const { steps, result } = run(encode(records))
    expect(steps).toBeGreaterThanOrEqual(records.length)
    expect(decode(result).map(({ body }) => body)).toEqual(records.map(({ body }) => body))
  })
})

describe('a long text', () => {
  // A character of two halves across each place where it could be cut.
  const body = `x${'\u{1f600}"\\\n'.repeat(400_000)}\ud800`

  it.each([
    ['a body', createRecord({ id: '0', body })],
    ['deep in an attribute', createRecord({ id: '0', attributes: { a: [{ b: body }, null, 1n] } as never })],
    ['of a resource', resourceWith(body)],
  ])('is written in steps as JSON, as if at once: %s', (_, record) => {
    const { steps, result } = run(encodeOtlpJsonSteps([record], '\n'))
    expect(steps).toBeGreaterThan(20)
    const text = result.toString('utf8')
    expect(text).toBe(`${JSON.stringify(JSON.parse(text))}\n`)
    const [read] = decodeOtlpJson(result, { id: String })
    const list = read?.attributes.a as undefined | readonly { readonly b: string }[]
    const found = read?.body ?? list?.[0]?.b ?? read?.resource.attributes.a
    expect(found === body).toBe(true)
  })
})

it('no records are a request without any', () => {
  expect(atOnce(encodeOtlpJsonSteps([])).toString()).toBe('{"resourceLogs":[]}')
})

function resourceWith(text: string) {
  const resource = { attributes: { a: text }, droppedAttributesCount: 0, schemaUrl: '' }
  return createRecord({ id: '0', resource })
}

function run<T>(steps: Steps<T>): { readonly steps: number; readonly result: T } {
  for (let count = 0; ; count++) {
    const step = steps.next()
    if (step.done) return { steps: count, result: step.value }
  }
}
