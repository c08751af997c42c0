import { defineProcessor } from 'tocsin/component'
import { check, schema, type TemplateConfig } from './config.js'
import { template } from './template.js'

export const templateProcessor = defineProcessor<TemplateConfig>({
  api: 1,
  type: 'template',
  stability: 'beta',
  description:
    'Writes the notification of a record: title, text, HTML and colour from Handlebars or Jinja templates.',
  schema,
  check,
  makes: ({ attributes = {} }) => ['notification', ...Object.keys(attributes)],
  create: template,
})
