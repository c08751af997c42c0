import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { collectingIntake, testContext } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { fileLogConfig } from '../../test/support/file-log.js'
import { fileLogReceiver } from './index.js'

const shared = process.env.TOCSIN_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))
const loghub = join(shared, 'loghub')
const logs = existsSync(loghub)
  ? readdirSync(loghub)
      .map(system => join(loghub, system, `${system}_2k.log`))
      .filter(path => existsSync(path))
  : []

test.skipIf(logs.length === 0)('real logs come line for line (needs ../shared/loghub)', async () => {
  expect(logs.length).toBeGreaterThanOrEqual(4)
  const context = testContext({
    config: fileLogConfig({ include: ['*/*_2k.log'], start_at: 'beginning', stop_at_end: true }),
    baseDir: loghub,
  })
  const receiver = fileLogReceiver.create(context)
  const intake = collectingIntake()
  await receiver.start(intake)
  await expect.poll(() => intake.ended).toBe(true)
  for (const path of logs) {
    const expected = readFileSync(path, 'utf8').split(/\r?\n/)
    if (expected.at(-1) === '') expected.pop()
    const received = intake
      .records()
      .filter(record => record.attributes['log.file.name'] === basename(path))
      .map(record => record.body)
    expect(received).toEqual(expected)
  }
  await receiver.stop()
  await receiver.close?.()
})
