import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import type { Alert, Notification, Transition } from '#history'
import { after, forwards } from './keys.js'
import { type LiveAlert, type LiveAlerts, withNews } from './live-alerts.js'
import { Recent } from './recent.js'
import { entries, get, getAll, parse, put, remove, write } from './stored.js'

/** What a collector changed: ids of alerts, keys of entries. */
export interface Notice {
  readonly alerts: readonly string[]
  readonly entries: readonly string[]
  readonly silences?: true
  /** There was more than can be told. */
  readonly more?: true
}

/** What others did since the last look. */
export interface PeerChanges {
  readonly alerts: readonly Alert[]
  readonly transitions: readonly Transition[]
  readonly notifications: readonly Notification[]
  readonly silences: boolean
  readonly more: boolean
}

/** Clocks of collectors may differ by this. */
const SKEW_MS = 15_000
const MOST = 1_000
const MOST_SEEN = 10_000

/** Keeps up with what other collectors write to the same storage. */
export class Peers {
  readonly #seen = new Recent<true>(MOST_SEEN)
  #serial = 0

  constructor(
    private readonly store: () => KeyValueStore,
    private readonly now: () => number,
    private readonly run: string,
    private readonly live: LiveAlerts,
  ) {}

  /** Tells the others. */
  notice(notice: Notice): KeyValueChange {
    const { alerts, entries } = notice
    const more = notice.more || alerts.length > MOST || entries.length > MOST
    const told = {
      ...notice,
      alerts: alerts.slice(0, MOST),
      entries: entries.slice(0, MOST),
      ...(more && { more }),
    }
    return put(`d/${forwards(this.now())}/${this.run}/${this.#serial++}`, told)
  }

  async look(): Promise<PeerChanges> {
    const kv = this.store()
    const notices: Notice[] = []
    for await (const [key, value] of entries(kv, `d/${forwards(this.now() - SKEW_MS)}`, after('d'))) {
      if (this.#seen.get(key) || key.split('/')[2] === this.run) continue
      this.#seen.set(key, true)
      const notice = parse<Notice>(value)
      if (notice) notices.push(notice)
    }
    const keys = [...new Set(notices.flatMap(one => one.entries))]
    const [alerts, transitions, notifications] = await Promise.all([
      this.#takeAlerts([...new Set(notices.flatMap(one => one.alerts))]),
      getAll<Transition>(
        kv,
        keys.filter(key => key.startsWith('e/')),
      ),
      getAll<Notification>(
        kv,
        keys.filter(key => key.startsWith('n/')),
      ),
    ])
    return {
      alerts,
      transitions,
      notifications,
      silences: notices.some(one => one.silences),
      more: notices.some(one => one.more),
    }
  }

  /** Reads all active alerts; those that are gone are none any more, but for those that `isOwn` says are not written yet. */
  async readAll(isOwn: (live: LiveAlert) => boolean): Promise<void> {
    const found = new Set<string>()
    for await (const [, value] of entries(this.store(), 'a/', after('a'))) {
      const alert = parse<Alert>(value)
      if (!alert) continue
      found.add(alert.id)
      this.#take(alert)
    }
    for (const live of [...this.live]) if (!found.has(live.id) && !isOwn(live)) this.live.delete(live.id)
  }

  async #takeAlerts(ids: readonly string[]): Promise<readonly Alert[]> {
    const kv = this.store()
    const taken = await Promise.all(
      ids.map(async id => {
        const [active, ended] = await Promise.all([get<Alert>(kv, `a/${id}`), get<Alert>(kv, `x/${id}`)])
        if (ended) {
          this.live.delete(id)
          // Another wrote of it what it heard before its end.
          if (active) await write(kv, [remove(`a/${id}`)])
          return ended
        }
        return active && this.#take(active)
      }),
    )
    return taken.filter(alert => alert !== undefined)
  }

  #take(alert: Alert): Alert {
    const merged = withNews(alert, this.live.get(alert.id)?.alert)
    this.live.add(merged)
    return merged
  }
}
