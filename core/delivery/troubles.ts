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

  constructor({ reportStatus, ...options }: TroublesOptions) {
    const report = (status: ComponentStatus): void => {
      const all = [this.sending, this.refusing, this.storing]
      if (status.status === 'ok' && all.some(trouble => trouble.lasting)) return
      reportStatus(status)
    }
    const common = { ...options, reportStatus: report }
    this.sending = new Outage('Sending works again.', common)
    this.refusing = new Outage('The destination takes records again.', common)
    this.storing = new Outage('The storage works again.', common)
  }
}
