import {
  defineExporter,
  defineReceiver,
  type Intake,
  type LogRecord,
  type Records,
  type Settled,
} from 'tocsin/component'

export interface Push {
  /** A receiver `push` and an exporter `keep`, for `startCollector`. */
  readonly components: readonly [ReturnType<typeof defineReceiver>, ReturnType<typeof defineExporter>]
  /** What reached the exporter. */
  readonly kept: LogRecord[]
  /** Of the receiver: event time has come so far. */
  watermark: bigint | undefined
  /** Keeps deliveries waiting until it is undefined: a crash may come between. */
  hold: Promise<void> | undefined
  /** Offers records and settles them; releases them too, unless told otherwise. */
  offer(records: Records, options?: { readonly release?: boolean }): Promise<void>
}

/** A collector's input and output in the hands of a test. */
export function pushAndKeep(): Push {
  let intake: Intake | undefined
  const kept: LogRecord[] = []
  const nothing = { type: 'object', additionalProperties: false, properties: {} } as const
  const receiver = defineReceiver({
    api: 1,
    type: 'push',
    stability: 'development',
    description: 'Offers what a test hands it.',
    schema: nothing,
    create: () => ({
      async start(given: Intake) {
        intake = given
      },
      stop: async () => undefined,
      watermark: () => push.watermark,
    }),
  })
  const exporter = defineExporter({
    api: 1,
    type: 'keep',
    stability: 'development',
    description: 'Keeps what it is sent, in memory.',
    local: true,
    schema: nothing,
    create: () => ({
      async send({ records }) {
        await push.hold
        kept.push(...records)
        return 'ok'
      },
    }),
  })
  const push: Push = {
    components: [receiver, exporter],
    kept,
    watermark: undefined,
    hold: undefined,
    async offer(records, { release = true } = {}) {
      const settled = await intake?.offer(records)
      if (!settled || settled.busy) throw new Error('The pipeline does not take records now.')
      if (release) (settled as Settled).release()
    },
  }
  return push
}
