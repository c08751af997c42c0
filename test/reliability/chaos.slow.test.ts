import { test } from 'vitest'
import { chaosSuite } from './chaos-suite.js'

const SEEDS = Array.from({ length: 20 }, (_, index) => 1_000 + index)

test('twenty runs with faults of every kind lose nothing', () => chaosSuite(SEEDS), 600_000)
