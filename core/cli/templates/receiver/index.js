import { defineReceiver } from 'tocsin/component'
import { schema } from './config.js'
import { myReceiver } from './my-receiver.js'

export const components = [
  defineReceiver({
    api: 1,
    type: 'my_receiver',
    stability: 'development',
    description: 'Says here in one sentence what the my_receiver receiver does.',
    schema,
    create: myReceiver,
  }),
]
