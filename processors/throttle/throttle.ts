import {
  type ComponentContext,
  durationMs,
  type Keyed,
  msToNs,
  type Records,
  type Touch,
} from 'tocsin/component'
import { compileTemplate, TemplateError, templateView } from 'tocsin/template'
import type { ThrottleConfig } from './config.js'
import { mergePassed, type Passed, passedCodec, stepThrottle, type Window } from './window.js'

/** One key for all records whose key cannot be rendered; rendered keys carry a prefix, so none is like it. */
const ERROR_KEY = 'error'
const MAX_KEY = 512

/** Keyed by a template; the decisions are in window.ts. The outcome is whether the record passes. */
export function throttle(context: ComponentContext<ThrottleConfig>): Keyed<Passed, undefined, boolean> {
  const { config } = context
  const window: Window = {
    count: config.count,
    windowNs: msToNs(durationMs(config.window)),
    mode: config.mode,
  }
  const select = selector(config, context)
  return {
    storage: config.storage,
    maxKeys: config.max_keys,
    timeSource: config.time_source,
    state: passedCodec,
    outcome: { encode: passes => (passes ? '1' : '0'), decode: text => text === '1' },
    select,
    step: (state, event) => stepThrottle(window, state, event),
    join: (record, [passes]) => (passes ? [record] : []),
    merge: (remote, local) => mergePassed(window, remote, local),
    rules: () => [{ id: context.id, name: `at most ${config.count} in ${config.window}` }],
    about: key => ({ rule: context.id, values: key.replace(/^=/, '') }),
  }
}

function selector(
  { key, engine = 'handlebars' }: ThrottleConfig,
  { id, pipeline = '', meter }: ComponentContext<ThrottleConfig>,
): (records: Records) => readonly (readonly Touch<undefined>[])[] {
  const all = [{ key: 'all', data: undefined }]
  if (key === undefined) return records => records.map(() => all)
  const template = compileTemplate(key, { engine })
  const labels = { processor: id, pipeline }
  const errors = meter.createCounter('tocsin_throttle_key_errors', {
    description: 'Records whose key could not be rendered: they share one key.',
  })
  errors.add(0, labels)
  return records =>
    records.map(record => {
      try {
        const rendered = template.render(templateView(record, { pipeline, timeZone: 'UTC' }))
        return [{ key: `=${rendered.slice(0, MAX_KEY)}`, data: undefined }]
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        errors.add(1, labels)
        return [{ key: ERROR_KEY, data: undefined }]
      }
    })
}
