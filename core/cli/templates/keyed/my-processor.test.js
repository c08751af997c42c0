import { describe, test } from 'node:test'
import { processorConformance, sampleRecord } from 'tocsin/testing'
import { components } from './index.js'

// my-processor.js is what you change; this suite is what every processor keeps to.
describe('my_processor', () => {
  const attributes = { user: 'ann' }
  for (const { name, run } of processorConformance({
    factory: components[0],
    config: { attribute: 'user', window: '1m' },
    records: [sampleRecord({ id: 'first', attributes }), sampleRecord({ id: 'second', attributes })],
  }))
    test(name, run)
})
