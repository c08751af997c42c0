import { AsyncLocalStorage, createHook } from 'node:async_hooks'

/** True in what a component runs, and in all that comes of it: not in the test, its servers and its sources. */
const inComponent = new AsyncLocalStorage<boolean>()

/** Node's own frames between the code that sets a timer and the hook that hears of it. */
const OF_TIMERS = /[ (]node:(?:internal\/)?(?:timers|async_hooks|promises)|[(]<anonymous>/

/** A component has no way to it: what it was given, a storage over a real connection, runs on it. */
const REAL_CLOCK = /[\\/]core[\\/]service[\\/]clock\.[jt]s:/

export interface TimerWatch {
  /** Runs code of the component under watch. */
  run<T>(task: () => T): T
  /** Where the component set timers that its clock knows nothing of: `FILE:LINE:COLUMN`, each place once. */
  readonly places: ReadonlySet<string>
  end(): void
}

/**
 * Hears of `setTimeout` and `setInterval` (of `node:timers/promises` too) that a component calls itself. What Node and
 * libraries set for their connections does not count.
 */
export function watchTimers(): TimerWatch {
  const places = new Set<string>()
  const hook = createHook({
    init(_, type) {
      if (type !== 'Timeout' || inComponent.getStore() !== true) return
      const place = callerOf(new Error().stack ?? '')
      if (place) places.add(place)
    },
  })
  hook.enable()
  return { run: task => inComponent.run(true, task), places, end: () => void hook.disable() }
}

/** Runs what is the suite's own amid code that is watched. */
export function unwatched<T>(task: () => T): T {
  return inComponent.run(false, task)
}

function callerOf(stack: string): string | undefined {
  const [, , ...frames] = stack.split('\n')
  const caller = frames.find(frame => !OF_TIMERS.test(frame)) ?? ''
  if (/[ (]node:|[\\/]node_modules[\\/]/.test(caller) || REAL_CLOCK.test(caller)) return undefined
  return /\(?([^( ]+:\d+:\d+)\)?$/.exec(caller)?.[1]?.replace(/^file:\/\//, '')
}
