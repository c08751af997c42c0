import type { Clock, ComponentStatus, Logger } from '../component/context.js'
import { Outage } from './outage.js'

export interface TroublesOptions {
  readonly id: string
  readonly clock: Clock
  readonly logger: Logger
  reportStatus(status: ComponentStatus): void
}

/** What can go wrong with an exporter. It is well again when all of it is over. */
export class Troubles {
  readonly sending: Outage
  readonly refusing: Outage
  readonly storing: Outage
  readonly full: Outage

  readonly #report: (status: ComponentStatus) => void
  #said = ''

  constructor({ reportStatus, ...options }: TroublesOptions) {
    this.#report = reportStatus
    const common = { ...options, changed: () => this.#say() }
    this.sending = new Outage('Sending works again.', common)
    this.refusing = new Outage('The destination takes records again.', common)
    this.storing = new Outage('The storage works again.', common)
    this.full = new Outage('The queue has room again.', common)
  }

  #say(): void {
    const all = [this.sending, this.refusing, this.storing, this.full]
    const message = all.flatMap(trouble => trouble.message ?? []).join(' ')
    if (message === this.#said) return
    this.#said = message
    this.#report(message === '' ? { status: 'ok' } : { status: 'recoverable_error', message })
  }
}
