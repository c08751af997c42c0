import type { ExporterFactory, LogRecord, Sent } from 'tocsin/component'
import {
  type HttpDestination,
  httpDestination,
  type TestContext,
  type TestContextOptions,
  testContext,
} from 'tocsin/testing'
import { onTestFinished } from 'vitest'

/** An HTTP destination that ends with the test. */
export async function destinationOfTest(): Promise<HttpDestination> {
  const http = await httpDestination()
  onTestFinished(() => http.close())
  return http
}

/** A started exporter that sends record by record, each for up to 5 s; it stops with the test. */
export async function sending<Config extends object>(
  factory: ExporterFactory<Config>,
  options: TestContextOptions<Config>,
): Promise<{
  readonly context: TestContext<Config>
  send(record: LogRecord, attempt?: number): Promise<Sent>
}> {
  const context = testContext(options)
  const exporter = factory.create(context)
  await exporter.start?.()
  onTestFinished(() => exporter.stop?.())
  return {
    context,
    send: (record, attempt = 1) =>
      exporter.send(
        { records: [record], pipeline: 'logs/ssh', queuedAt: 0n, attempt },
        AbortSignal.timeout(5_000),
      ),
  }
}
