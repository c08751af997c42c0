import { createServer } from 'node:net'
import { createNoopMeter } from '@opentelemetry/api'
import type {
  ComponentContext,
  ComponentStatus,
  KeyValueStore,
  Listener,
  ListenOptions,
  LogAttributes,
  Logger,
} from '../component/index.js'
import { oncePerMinute } from '../component/minute-log.js'
import { memoryKeyValue } from '../state/memory-key-value.js'
import { VirtualClock } from './clock.js'
import { seededRandom } from './random.js'

/** One log line of a component. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly attributes: LogAttributes
}

/** A component context for tests, with what the component reported. */
export interface TestContext<C> extends ComponentContext<C> {
  readonly logs: LogEntry[]
  readonly statuses: ComponentStatus[]
  /** Closes the listeners that the component opened. */
  close(): Promise<void>
}

/** What `testContext` takes: a configuration, and whatever of the context the test is about. */
export interface TestContextOptions<C> extends Partial<Omit<ComponentContext<C>, 'config' | 'extension'>> {
  readonly config: C
  readonly extensions?: { readonly [id: string]: unknown }
  readonly stores?: { readonly [id: string]: KeyValueStore }
}

/** A context on a virtual clock, a seeded random and storage in memory; override what the test is about. */
export function testContext<C>(options: TestContextOptions<C>): TestContext<C> {
  const { extensions = {}, stores = {}, ...overrides } = options
  const logs: LogEntry[] = []
  const statuses: ComponentStatus[] = []
  const listeners: Listener[] = []
  const memory = memoryKeyValue()
  const clock = overrides.clock ?? new VirtualClock()
  const logger = overrides.logger ?? collectingLogger(logs)
  const sparing = oncePerMinute(logger, clock)
  return {
    id: 'test',
    logger,
    oncePerMinute: sparing,
    meter: createNoopMeter(),
    clock,
    random: seededRandom(1),
    baseDir: process.cwd(),
    storage: id => (id === undefined ? memory : known(stores, id)),
    extension: <T>(id: string) => known(extensions, id) as T,
    shared: (_, make) => make(),
    reportStatus: status => statuses.push(status),
    listen: async where => {
      const listener = await plainListener(where)
      listeners.push(listener)
      return listener
    },
    ...overrides,
    logs,
    statuses,
    close: async () => {
      sparing.close()
      await Promise.all(listeners.map(listener => listener.release()))
    },
  }
}

/** A logger that keeps what it is told, in order. */
export function collectingLogger(into: { push(entry: LogEntry): unknown }): Logger {
  const at =
    (level: LogEntry['level']) =>
    (message: string, attributes: LogAttributes = {}) => {
      into.push({ level, message, attributes })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

async function plainListener({ host, port }: ListenOptions): Promise<Listener> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as { port: number }
  return {
    host,
    port: address.port,
    handle: onConnection => void server.on('connection', onConnection),
    release: () => new Promise(resolve => server.close(() => resolve())),
  }
}

function known<T>(from: { readonly [id: string]: T }, id: string): T {
  const found = from[id]
  if (found === undefined) throw new Error(`The test context has no "${id}".`)
  return found
}
