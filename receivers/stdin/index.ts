import { defineReceiver } from 'tocsin/component'
import { type StdinConfig, schema } from './config.js'
import { StdinReceiver } from './stdin.js'

export const stdinReceiver = defineReceiver<StdinConfig>({
  api: 1,
  type: 'stdin',
  stability: 'beta',
  description: 'Reads lines from standard input, as in `journalctl -f -a | tocsin ...`.',
  schema,
  makes: ({ attributes, resource }) => [...Object.keys(attributes), ...Object.keys(resource)],
  create: context => new StdinReceiver(context, process.stdin),
})
