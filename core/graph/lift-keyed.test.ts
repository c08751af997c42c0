import { Subject } from 'rxjs'
import { expect, it } from 'vitest'
import { type Counted, counter, event } from '../../test/support/counter.js'
import { RetryableError } from '../component/index.js'
import { memoryState } from '../state/memory-state.js'
import { KeyedRuntime } from '../state/runtime.js'
import { seededRandom, settleMicrotasks, VirtualClock } from '../testing/index.js'
import { createBatch, type PipelineBatch } from './batch.js'
import { liftKeyed } from './lift-keyed.js'

it('leaves a batch with its source when the state could not be written until the end', async () => {
  const store = memoryState<Counted>({ maxKeys: 9 })
  const away = { ...store, read: () => Promise.reject(new RetryableError('test', 'away')) }
  const options = { clock: new VirtualClock(), random: seededRandom(1), journal: true, shared: false }
  const runtime = new KeyedRuntime(counter(), away, options)
  const failed: unknown[] = []
  const head = new Subject<PipelineBatch>()
  const out: PipelineBatch[] = []
  const operator = liftKeyed(runtime, async (_, error) => void failed.push(error))
  head.pipe(operator).subscribe(batch => out.push(batch))
  let settled = 0
  const batch = createBatch([event('1', 1n, 'alert:a')], { onSettled: () => settled++ })
  head.next(batch as PipelineBatch)
  await new Promise(resolve => setImmediate(resolve))
  await runtime.close()
  await settleMicrotasks()
  expect({ failed, settled, out }).toEqual({ failed: [], settled: 0, out: [] })
})
