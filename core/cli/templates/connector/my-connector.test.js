import { describe, test } from 'node:test'
import { processorConformance } from 'tocsin/testing'
import { components } from './index.js'

// my-connector.js is what you change; this suite is what every connector keeps to.
describe('my_connector', () => {
  for (const { name, run } of processorConformance({
    factory: components[0],
    config: { only_severity_from: 17 },
  }))
    test(name, run)
})
