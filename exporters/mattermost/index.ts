import { defineExporter } from 'tocsin/component'
import { checkMattermost, type MattermostConfig, mattermostSchema } from './config.js'
import { createMattermost } from './mattermost.js'

export const mattermostExporter = defineExporter<MattermostConfig>({
  api: 1,
  type: 'mattermost',
  stability: 'beta',
  description: 'Posts each record to a Mattermost channel through an incoming webhook.',
  notifying: true,
  schema: mattermostSchema,
  check: checkMattermost,
  create: createMattermost,
})
