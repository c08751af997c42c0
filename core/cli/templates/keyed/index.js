import { defineProcessor } from 'tocsin/component'
import { schema } from './config.js'
import { myProcessor } from './my-processor.js'

export const components = [
  defineProcessor({
    api: 1,
    type: 'my_processor',
    stability: 'development',
    description: 'Says here in one sentence what the my_processor processor does.',
    schema,
    create: myProcessor,
  }),
]
