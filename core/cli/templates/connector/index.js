import { defineConnector } from 'tocsin/component'
import { schema } from './config.js'
import { myConnector } from './my-connector.js'

export const components = [
  defineConnector({
    api: 1,
    type: 'my_connector',
    stability: 'development',
    description: 'Says here in one sentence what the my_connector connector does.',
    schema,
    create: myConnector,
  }),
]
