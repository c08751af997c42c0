import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { expect, it } from 'vitest'
import { startCollector } from '../support/collector.js'

it('a greylisting server gets each mail once, an unknown recipient is counted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
  const mails: string[] = []
  let putOff = 2
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 10,
    onRcptTo({ address }, _, callback) {
      const failure = (code: number, text: string) =>
        callback(Object.assign(new Error(text), { responseCode: code }))
      if (address === 'nobody@example.com') failure(550, 'Unknown')
      else if (address === 'grey@example.com' && putOff-- > 0) failure(451, 'Come back later')
      else callback()
    },
    onData(stream, { envelope }, callback) {
      stream.resume()
      stream.on('end', () => {
        mails.push(envelope.rcptTo[0]?.address ?? '')
        callback()
      })
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  await writeFile(join(folder, 'in.log'), 'the disk is full\n')
  const collector = await startCollector(
    `
receivers: { file_log: { include: [in.log], start_at: beginning, stop_at_end: true } }
exporters:
  email:
    smtp: { host: 127.0.0.1, port: ${(server.server.address() as AddressInfo).port}, security: none }
    from: tocsin@example.com
    to: [white@example.com, grey@example.com, nobody@example.com]
    retry_on_failure: { initial_interval: 20ms }
service: { pipelines: { logs: { receivers: [file_log], exporters: [email] } } }
`,
    { folder },
  )
  await collector.ended
  await expect.poll(() => mails.length).toBeGreaterThanOrEqual(2)
  const errors = (reason: string) =>
    collector.metric('tocsin_email_recipient_errors_total', `reason="${reason}"`)
  expect([await errors('refused'), await errors('deferred')]).toEqual([1, 2])
  expect(await collector.stop()).toMatchObject({ delivered: 1, deadLettered: 0 })
  expect(mails).toEqual(['white@example.com', 'grey@example.com'])
  expect(collector.logs.filter(({ message }) => message.includes('nobody@example.com'))).toHaveLength(1)
  await new Promise<void>(resolve => server.close(() => resolve()))
  await rm(folder, { recursive: true, force: true })
})
