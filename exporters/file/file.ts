import { resolve } from 'node:path'
import type { ComponentContext, Exporter, ExportRequest, Sent } from 'tocsin/component'
import { encodeOtlpJsonSteps, inSlices } from 'tocsin/otlp'
import type { FileConfig } from './config.js'
import { LineFile } from './line-file.js'

/** Writes each request as a line. A request is delivered when the operating system has it. */
export function createFile({ config, baseDir, clock }: ComponentContext<FileConfig>): Exporter {
  const { rotation } = config
  const file = new LineFile(resolve(baseDir, config.path), clock, {
    maxBytes: rotation ? rotation.max_megabytes * 1_000_000 : Number.POSITIVE_INFINITY,
    maxBackups: rotation?.max_backups ?? 0,
  })
  return {
    start: () => file.open(),
    async send({ records }: ExportRequest, signal: AbortSignal): Promise<Sent> {
      signal.throwIfAborted()
      await file.append(await inSlices(encodeOtlpJsonSteps(records, '\n'), signal))
      return 'ok'
    },
    stop: () => file.close(),
  }
}
