import type { Attributes, Context, Meter, MetricOptions } from '@opentelemetry/api'

export interface SwitchedMeter {
  /** Its instruments take nothing in while `isOn` says no. Those that observe are asked at a scrape only. */
  readonly meter: Meter
  /** Hands on what counters gathered: before the numbers are read. */
  flush(): void
}

export function switchedMeter(meter: Meter, isOn: () => boolean): SwitchedMeter {
  const counters: GatheringCounter[] = []
  const counting = <T extends Addable>(instrument: T, least: number): T => {
    const gathering = new GatheringCounter(instrument, least)
    counters.push(gathering)
    return switched(instrument, 'add', isOn, gathering.add)
  }
  const made = {
    createCounter: (name: string, options?: MetricOptions) => counting(meter.createCounter(name, options), 0),
    createUpDownCounter: (name: string, options?: MetricOptions) =>
      counting(meter.createUpDownCounter(name, options), Number.NEGATIVE_INFINITY),
    createHistogram: (name: string, options?: MetricOptions) =>
      switched(meter.createHistogram(name, options), 'record', isOn),
    createGauge: (name: string, options?: MetricOptions) =>
      switched(meter.createGauge(name, options), 'record', isOn),
  }
  return {
    meter: Object.assign(Object.create(meter), made),
    flush: () => {
      for (const counter of counters) counter.flush()
    },
  }
}

type Act = (value: number, attributes?: Attributes, context?: Context) => void

interface Addable {
  add: Act
}

function switched<T extends object>(instrument: T, method: keyof T, isOn: () => boolean, act?: Act): T {
  const own = act ?? (instrument[method] as Act).bind(instrument)
  const guarded: Act = (value, attributes, context) => {
    if (isOn()) own(value, attributes, context)
  }
  return Object.assign(Object.create(instrument), { [method]: guarded })
}

interface Cell {
  readonly names: readonly string[]
  readonly attributes: Attributes
  value: number
  told: boolean
}

/** Series of an instrument that are gathered; the others go to the SDK one by one. */
const MOST_CELLS = 8

/** The SDK sorts and hashes the attributes of every call; a batch's count is only added to a number here. */
class GatheringCounter {
  readonly #instrument: Addable
  readonly #cells: Cell[] = []
  /** Of attributes that are frozen, which those keep who have hundreds of series. */
  readonly #frozen = new Map<Attributes, number>()

  /** `least`: what is less is no count, and the SDK's to refuse. */
  constructor(
    instrument: Addable,
    private readonly least: number,
  ) {
    this.#instrument = instrument
  }

  readonly add: Act = (value, attributes = {}, context) => {
    const counts = context === undefined && Number.isFinite(value) && value >= this.least
    if (counts && Object.isFrozen(attributes)) {
      this.#frozen.set(attributes, (this.#frozen.get(attributes) ?? 0) + value)
      return
    }
    const cell = counts ? this.#cellOf(attributes) : undefined
    if (cell) cell.value += value
    else this.#instrument.add(value, attributes, context)
  }

  flush(): void {
    for (const cell of this.#cells) {
      if (cell.value !== 0 || !cell.told) this.#instrument.add(cell.value, cell.attributes)
      cell.value = 0
      cell.told = true
    }
    for (const [attributes, sum] of this.#frozen) this.#instrument.add(sum, attributes)
    this.#frozen.clear()
  }

  #cellOf(attributes: Attributes): Cell | undefined {
    for (const cell of this.#cells) if (isOf(cell, attributes)) return cell
    if (this.#cells.length === MOST_CELLS) return undefined
    const cell = { names: Object.keys(attributes), attributes: { ...attributes }, value: 0, told: false }
    this.#cells.push(cell)
    return cell
  }
}

function isOf({ names, attributes: own }: Cell, attributes: Attributes): boolean {
  let count = 0
  for (const _ in attributes) count++
  if (count !== names.length) return false
  for (const name of names) if (own[name] !== attributes[name] || !(name in attributes)) return false
  return true
}
