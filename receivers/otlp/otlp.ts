import { byteSize, type ComponentContext, type Intake, type Receiver } from 'tocsin/component'
import { Budget } from './budget.js'
import type { OtlpConfig } from './config.js'
import { GrpcProtocol } from './grpc.js'
import { HttpProtocol } from './http.js'
import { receiverMetrics } from './metrics.js'
import type { Protocol } from './protocol.js'
import { Scratch } from './scratch.js'

/** Takes log records over OTLP: answers when they are settled. */
export class OtlpReceiver implements Receiver {
  readonly #context: ComponentContext<OtlpConfig>
  #protocols: readonly Protocol[] = []

  constructor(context: ComponentContext<OtlpConfig>) {
    this.#context = context
  }

  async start(intake: Intake): Promise<void> {
    const { grpc, http } = this.#context.config.protocols
    const largest = Math.max(
      (grpc?.max_recv_msg_size_mib ?? 0) * 1024 * 1024,
      byteSize(http?.max_request_body_size ?? 0),
    )
    const budget = new Budget(largest)
    const metrics = receiverMetrics(this.#context, budget)
    const shared = { context: this.#context, intake, budget, metrics, scratch: new Scratch() }
    this.#protocols = [
      ...(grpc ? [new GrpcProtocol(shared, grpc)] : []),
      ...(http ? [new HttpProtocol(shared, http)] : []),
    ]
    for (const protocol of this.#protocols) await protocol.start()
  }

  async stop(): Promise<void> {
    for (const protocol of this.#protocols) protocol.stop()
  }

  async close(): Promise<void> {
    await Promise.all(this.#protocols.map(protocol => protocol.close()))
  }

  /** Senders deliver as they please; nothing older is known to come. */
  watermark(): bigint {
    return this.#context.clock.now()
  }
}
