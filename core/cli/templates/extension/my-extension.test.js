import { describe, test } from 'node:test'
import { factoryConformance } from 'tocsin/testing'
import { components } from './index.js'

// my-extension.js is what you change; this suite is what every extension keeps to.
describe('my_extension', () => {
  for (const { name, run } of factoryConformance(components[0])) test(name, run)
})
