import { defineExtension } from 'tocsin/component'
import { schema } from './config.js'
import { myExtension } from './my-extension.js'

export const components = [
  defineExtension({
    api: 1,
    type: 'my_extension',
    stability: 'development',
    description: 'Says here in one sentence what the my_extension extension does.',
    schema,
    create: myExtension,
  }),
]
