import { describe, test } from 'node:test'
import { processorConformance } from 'tocsin/testing'
import { components } from './index.js'

// my-processor.js is what you change; this suite is what every processor keeps to.
describe('my_processor', () => {
  for (const { name, run } of processorConformance({ factory: components[0], config: { value: 'seen' } }))
    test(name, run)
})
