import {
  type AnyValue,
  type ComponentContext,
  compilePath,
  isMap,
  type LogRecord,
  type Mapper,
  newMap,
} from 'tocsin/component'
import { linkMaps } from 'tocsin/notification'
import {
  compileTemplate,
  type Template,
  TemplateError,
  type TemplateView,
  templateView,
} from 'tocsin/template'
import type { TemplateConfig } from './config.js'

type Field = 'title' | 'body' | 'body_html' | 'runbook' | 'links'

/** A field's template, and what stands in for it when it cannot be rendered: plain, and never failing. */
interface Writer {
  readonly field: keyof typeof FALLBACKS
  readonly template: Template
  readonly fallback: Template
}

/** `body` goes beyond what a message can be: it is cut. */
const FALLBACKS = {
  title: 'Log alert in {{pipeline}}',
  body: '{{truncate body 10000}}',
  body_html: '<p>{{truncate body 10000}}</p>',
} as const

const NOTIFICATION = compilePath('attributes["notification"]')

/** Writes `attributes["notification"]`. What else is in there stays. */
export function template(context: ComponentContext<TemplateConfig>): Mapper {
  const { config } = context
  const { pipeline = '' } = context
  const options = { pipeline, timeZone: config.time_zone }
  const writers = compileWriters(config)
  const markdown = config.body_format === 'markdown'
  const failed = failureReport(context)
  const writeLinks = linkWriter(config, failed)
  return {
    process: records =>
      records.map(bare => {
        const record = withConstants(bare, config.attributes)
        const view = templateView(record, options)
        const notification = existing(record)
        // HTML that came with the record says something else than the new text, and nobody escaped it.
        if (config.body !== undefined) {
          delete notification.body_html
          delete notification.body_format
        }
        for (const writer of writers) notification[writer.field] = write(writer, view, failed)
        if (config.body !== undefined && markdown) notification.body_format = 'markdown'
        if (config.accent_color !== undefined) notification.accent_color = config.accent_color
        if (config.channel !== undefined) notification.channel = config.channel
        writeLinks(notification, view)
        return NOTIFICATION.set(record, notification)
      }),
  }
}

function withConstants(record: LogRecord, constants: TemplateConfig['attributes']): LogRecord {
  if (!constants) return record
  const attributes = newMap([...Object.entries(record.attributes), ...Object.entries(constants)])
  return record.patch({ attributes })
}

function compileWriters(config: TemplateConfig): readonly Writer[] {
  return (['title', 'body', 'body_html'] as const).flatMap(field => {
    const source = config[field]
    if (source === undefined) return []
    const html = field === 'body_html'
    const markdown = field === 'body' && config.body_format === 'markdown'
    return [
      {
        field,
        template: compileTemplate(source, { engine: config.engine ?? 'handlebars', html, markdown }),
        fallback: compileTemplate(FALLBACKS[field], { html, markdown }),
      },
    ]
  })
}

/** Addresses: where one cannot be rendered it is left out. */
function linkWriter(
  { runbook, links = {}, engine = 'handlebars' }: TemplateConfig,
  failed: (field: Field, error: TemplateError) => void,
): (notification: Record<string, AnyValue>, view: TemplateView) => void {
  const given = Object.entries(links).map(
    ([title, url]) => [title, compileTemplate(url, { engine })] as const,
  )
  const book = runbook === undefined ? undefined : compileTemplate(runbook, { engine })
  const render = (field: Field, template: Template, view: TemplateView): string => {
    try {
      // A value with a space in it would end the address.
      return template.render(view).trim().replace(/\s/g, '%20')
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      failed(field, error)
      return ''
    }
  }
  return (notification, view) => {
    if (book) notification.runbook = render('runbook', book, view)
    if (given.length === 0) return
    notification.links = linkMaps(given.map(([title, url]) => ({ title, url: render('links', url, view) })))
  }
}

function write(
  { field, template, fallback }: Writer,
  view: TemplateView,
  failed: (field: Field, error: TemplateError) => void,
): string {
  try {
    return template.render(view)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    failed(field, error)
    return fallback.render(view)
  }
}

function existing(record: LogRecord): Record<string, AnyValue> {
  const { notification } = record.attributes
  return newMap(isMap(notification) ? Object.entries(notification) : [])
}

/** Counts every failure, and says the first one of each field. */
function failureReport({ id, pipeline = '', meter, logger }: ComponentContext<TemplateConfig>) {
  const errors = meter.createCounter('tocsin_template_render_errors', {
    description: 'Notifications that a template could not be rendered for: they got a plain text instead.',
  })
  const said = new Set<Field>()
  return (field: Field, error: TemplateError): void => {
    errors.add(1, { processor: id, pipeline, field })
    if (said.has(field)) return
    said.add(field)
    logger.warn(
      'A template could not be rendered; the alert goes out with a plain text. Said once for a field.',
      {
        field,
        error: error.message,
      },
    )
  }
}
