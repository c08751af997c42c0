import { type DestinationStream, pino } from 'pino'
import { build as prettyStream } from 'pino-pretty'
import type { LogAttributes, Logger } from '../component/index.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LoggerOptions {
  readonly level: LogLevel
  /** `console`: a readable line; `json`: one JSON object a line. */
  readonly encoding: 'console' | 'json'
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

export interface RootLogger extends Logger {
  /** The same log with attributes on every line, such as the component's id. */
  child(attributes: LogAttributes): Logger
  setLevel(level: LogLevel): void
}

/** Our own log: readable text for a terminal, JSON for machines. Field names follow the Collector's. */
export function createLogger({ level, encoding, output }: LoggerOptions): RootLogger {
  const stream: DestinationStream = encoding === 'json' ? output : readable(output)
  const log = pino(
    {
      level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    stream,
  )
  return {
    ...adapt(log),
    child: attributes => adapt(log.child(attributes)),
    // Children keep the level they were made with; a reload makes its components anew.
    setLevel: next => {
      log.level = next
    },
  }
}

function adapt(log: pino.Logger): Logger {
  return {
    debug: (message, attributes = {}) => log.debug(attributes, message),
    info: (message, attributes = {}) => log.info(attributes, message),
    warn: (message, attributes = {}) => log.warn(attributes, message),
    error: (message, attributes = {}) => log.error(attributes, message),
  }
}

function readable(output: LoggerOptions['output']): DestinationStream {
  return prettyStream({
    colorize: output.isTTY === true && !process.env.NO_COLOR,
    destination: output,
    timestampKey: 'ts',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    ignore: 'pid,hostname',
  })
}
