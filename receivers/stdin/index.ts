import { defineReceiver } from 'tocsin/component'
import { type StdinConfig, schema } from './config.js'
import { pastReader } from './past.js'
import { StdinReceiver } from './stdin.js'

export const stdinReceiver = defineReceiver<StdinConfig>({
  api: 1,
  type: 'stdin',
  stability: 'beta',
  description: 'Reads lines from standard input, as in `journalctl -f -a | tocsin ...`.',
  schema,
  sole: 'standard input',
  makes: ({ attributes, resource }) => [...Object.keys(attributes), ...Object.keys(resource)],
  past: pastReader,
  create: context => new StdinReceiver(context, process.stdin),
})
