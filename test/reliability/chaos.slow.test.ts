import { test } from 'vitest'
import { chaosSuite } from './chaos-suite.js'

/** `TOCSIN_CHAOS_SEEDS=1000,1017` runs these and no others. */
const { TOCSIN_CHAOS_SEEDS: chosen } = process.env
const SEEDS = chosen?.split(',').map(Number) ?? Array.from({ length: 20 }, (_, index) => 1_000 + index)

test(`${SEEDS.length} runs with faults of every kind lose nothing`, () => chaosSuite(SEEDS), 1_800_000)
