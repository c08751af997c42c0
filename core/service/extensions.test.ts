import { defineExtension } from 'tocsin/component'
import { collectingLogger } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { Extensions } from './extensions.js'

const names = { type: 'string', component: 'extension' } as const
const factory = defineExtension({
  api: 1,
  type: 'one',
  stability: 'alpha',
  description: 'One.',
  schema: { type: 'object', properties: { storage: names, more: { type: 'array', items: names } } },
  create: () => ({}),
})

function extensions() {
  const told: string[] = []
  const made = new Extensions({
    create: ({ id }) => ({
      extension: {
        start: async () => void told.push(`+${id}`),
        stop: async () => void told.push(`-${id}`),
      },
      close: async () => {},
    }),
    host: {} as never,
    logger: collectingLogger([]),
    report: () => {},
  })
  const switchTo = async (configs: { readonly [id: string]: object }) => {
    await made.switchTo(
      new Map(Object.entries(configs).map(([id, config]) => [id, { id, factory, config } as never])),
    )
    return told.splice(0).join(' ')
  }
  return { made, switchTo }
}

test('what another names starts before it and stops after it, whatever the order of the configuration', async () => {
  const { switchTo } = extensions()
  expect(await switchTo({ page: { more: ['history'] }, history: { storage: 'files' }, files: {} })).toBe(
    '+files +history +page',
  )
  expect(await switchTo({})).toBe('-page -history -files')
})

test('what names one that changes starts anew with it, and nothing else does', async () => {
  const { switchTo } = extensions()
  await switchTo({ files: {}, history: { storage: 'files' }, health: {} })
  expect(await switchTo({ files: { path: 'b' }, history: { storage: 'files' }, health: {} })).toBe(
    '-history -files +files +history',
  )
  expect(await switchTo({ files: { path: 'b' }, history: { storage: 'files' }, health: {} })).toBe('')
})

test('two that name each other start all the same', async () => {
  const { switchTo } = extensions()
  expect(await switchTo({ a: { storage: 'b' }, b: { storage: 'a' } })).toBe('+b +a')
  expect(await switchTo({ a: { storage: 'b' }, b: { storage: 'a' } })).toBe('')
})
