import { expect, it } from 'vitest'
import { checkCommon, exporterCommon } from './schema.js'
import { deliverySettings } from './settings.js'

it('has the defaults of the documentation', () => {
  expect(deliverySettings({}, {})).toEqual({
    timeoutMs: 10_000,
    queue: {
      enabled: true,
      consumers: 10,
      capacity: 1_000,
      sizer: 'requests',
      storage: undefined,
      blockOnOverflow: false,
      waitForResult: false,
      batch: undefined,
    },
    retry: {
      enabled: true,
      initialIntervalMs: 500,
      multiplier: 2,
      randomizationFactor: 0.5,
      maxIntervalMs: 30_000,
      maxElapsedMs: 300_000,
    },
  })
})

it('gives notifying exporters one consumer and local ones no queue', () => {
  expect(
    deliverySettings({ sending_queue: { batch: {} } }, { notifying: true }, 'file_storage').queue,
  ).toMatchObject({
    consumers: 1,
    batch: undefined,
    storage: 'file_storage',
  })
  expect(deliverySettings({}, { local: true }, 'file_storage').queue).toMatchObject({
    enabled: false,
    capacity: 1,
    storage: undefined,
  })
  const asked = { sending_queue: { enabled: true, storage: 'redis_storage' } }
  expect(deliverySettings(asked, { local: true }, 'file_storage').queue).toMatchObject({
    enabled: true,
    consumers: 1,
    storage: 'redis_storage',
  })
})

it('documents the defaults that it has', () => {
  const { sending_queue: queue, retry_on_failure: retry, timeout } = exporterCommon.properties ?? {}
  const defaults = (schema: typeof queue): object =>
    Object.fromEntries(
      Object.entries(schema?.properties ?? {}).flatMap(([key, { default: value }]) =>
        value === undefined ? [] : [[key, value]],
      ),
    )
  const spelledOut = {
    timeout: timeout?.default as string,
    sending_queue: defaults(queue),
    retry_on_failure: defaults(retry),
  }
  expect(deliverySettings(spelledOut, {})).toEqual(deliverySettings({}, {}))
})

it('finds what contradicts itself', () => {
  const notifying = { notifying: true }
  expect(checkCommon({ sending_queue: { num_consumers: 2, batch: {} } }, notifying)).toMatchObject([
    { path: ['sending_queue', 'num_consumers'] },
    { path: ['sending_queue', 'batch'] },
  ])
  expect(checkCommon({ sending_queue: { batch: { min_size: 9, max_size: 3 } } })).toHaveLength(1)
  expect(checkCommon({ sending_queue: { batch: { max_size: 3 } } })).toEqual([])
  expect(checkCommon({ retry_on_failure: { initial_interval: '1m' } })).toMatchObject([
    { path: ['retry_on_failure', 'initial_interval'] },
  ])
  // Without a wait a destination that is down would be asked as fast as it fails.
  expect(checkCommon({ retry_on_failure: { initial_interval: '0s', max_interval: '0s' } })).toMatchObject([
    { path: ['retry_on_failure', 'initial_interval'] },
    { path: ['retry_on_failure', 'max_interval'] },
  ])
  expect(checkCommon({ retry_on_failure: { max_elapsed_time: '0s' } })).toEqual([])
})
