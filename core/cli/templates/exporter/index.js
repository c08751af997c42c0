import { defineExporter } from 'tocsin/component'
import { schema } from './config.js'
import { myExporter } from './my-exporter.js'

export const components = [
  defineExporter({
    api: 1,
    type: 'my_exporter',
    stability: 'development',
    description: 'Says here in one sentence what the my_exporter exporter does.',
    // One send at a time. For what tells people: notifying; where order does not matter: neither, and ten run at once.
    ordered: true,
    schema,
    create: myExporter,
  }),
]
