import { describe, expect, it } from 'vitest'
import { locate, type ScalarNode, toValue } from './node.js'
import { positionOf, textSource } from './source.js'
import { parseYaml } from './yaml.js'

const read = (text: string) => parseYaml(text, textSource('f.yaml', '/', text))
const value = (text: string) => toValue(read(text).node!)
const problems = (text: string) =>
  read(text).problems.map(({ line, column, message }) => `${line}:${column} ${message}`)

describe('parseYaml', () => {
  it('reads scalars by the core schema', () => {
    expect(value('[1, 0x1F, 0o17, 1.5, true, no, ~, 1_000, 2001-01-01, "1", !!str 1, !!int "2"]')).toEqual([
      1,
      31,
      15,
      1.5,
      true,
      'no',
      null,
      '1_000',
      '2001-01-01',
      '1',
      '1',
      2,
    ])
  })

  it('knows anchors and merge keys; own keys win, then the first map', () => {
    const yaml = 'a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: *a\ne: {"<<": 1}'
    expect(value(yaml)).toMatchObject({ c: { x: 1, y: 1, z: 3 }, d: { x: 1, y: 1 }, e: { '<<': 1 } })
  })

  it('knows where keys and values are', () => {
    const { node } = read('a:\n  - b: "x y"\n    c:\n')
    expect(positionOf(locate(node!, ['a', 0, 'b']).place)).toEqual({ file: 'f.yaml', line: 2, column: 8 })
    expect(positionOf(locate(node!, ['a', 0, 'b']).keyPlace)).toMatchObject({ line: 2, column: 5 })
    expect(positionOf(locate(node!, ['a', 0, 'c']).place)).toMatchObject({ line: 3, column: 5 })
  })

  it.each([
    ['a: hello', 1, 7],
    ["a: 'hello'", 1, 8],
    ['a: "hello"', 1, 8],
    ['a: |\n    hel\n    lo', 2, 8],
  ])('maps a character of %j to its place', (yaml, line, column) => {
    const node = locate(read(yaml).node!, ['a']).node as ScalarNode
    expect(positionOf({ source: node.place.source, offset: node.offsetOf!(3) })).toMatchObject({
      line,
      column,
    })
  })

  it('maps nothing where characters do not stand for themselves', () => {
    const node = locate(read('a: "he\\x6clo"').node!, ['a']).node as ScalarNode
    expect(node.offsetOf).toBeUndefined()
  })

  it('keeps to itself what may be a secret', () => {
    const text = 'smtp:\n  password: !hunter2\n  token: *hunter2\n  name: *shown\n'
    const { problems } = read(text)
    expect(problems.map(({ line }) => line)).toEqual([2, 3, 4])
    expect(JSON.stringify(problems)).not.toContain('hunter2')
    expect(JSON.stringify(problems)).toContain('*shown')
  })

  it.each([
    ['# c\n---\na: 1\n---\nb: 2\n', '4:1'],
    ['a: 1\n---\n', '2:1'],
    ['---\na: |\n  ---\n--- b\n', '4:1'],
  ])('finds the second document of %j', (text, place) => {
    expect(problems(text)).toEqual([`${place} a second YAML document starts here`])
  })

  it.each([
    ['a: {p: ${env:X}}', '1:8'],
    ['a: {\n  b: 1,\n  c: x${X},\n}', '3:7'],
    ['a: [${X}, b]', '1:5'],
  ])('says that a reference needs quotes: %j', (text, place) => {
    expect(problems(text)).toEqual([`${place} a "\${" outside of quotes, within { } or [ ]`])
  })

  it('answers mistakes', () => {
    expect(problems('a: 1\nb: 2\na: 3')).toEqual(['3:1 the key "a" appears twice, first at line 1, column 1'])
    expect(problems('a: 1\n---\nb: 2')).toEqual(['2:1 a second YAML document starts here'])
    expect(problems('a: *b')).toEqual(['1:4 there is no anchor for the alias "*b"'])
    expect(problems('a: &a [*a]')).toEqual(['1:8 the alias "*a" holds itself'])
    expect(problems('a: {{b}}')).toEqual(['1:5 a value starts with "{{" outside of quotes'])
    expect(problems('__proto__: 1')).toEqual(['1:1 the key "__proto__" is not allowed'])
    expect(problems('a: "\\d"')).toEqual(['1:6 an unknown escape in a double-quoted text'])
    expect(problems("a: 'x")).toEqual(['1:4 a quote is not closed'])
    expect(problems('['.repeat(5000))).toEqual(['1:100 nested more than 100 levels deep'])
  })

  it('survives a billion laughs, and aliases that only nest deeply', () => {
    const laughs = ['a0: &a0 [x, x]']
    for (let i = 1; i < 60; i++) laughs.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`)
    expect(problems(laughs.join('\n'))).toHaveLength(1)
    const deep = [`a0: &a0 ${'['.repeat(50)}${']'.repeat(50)}`]
    for (let i = 1; i < 60; i++) deep.push(`a${i}: &a${i} ${'['.repeat(50)}*a${i - 1}${']'.repeat(50)}`)
    expect(problems(deep.join('\n')).length).toBeGreaterThan(0)
  })
})
