import { defineExporter } from 'tocsin/component'
import { checkEmail, type EmailConfig, emailSchema } from './config.js'
import { createEmail } from './email.js'

export const emailExporter = defineExporter<EmailConfig>({
  api: 1,
  type: 'email',
  stability: 'beta',
  description: 'Mails each record through an SMTP server, to each recipient on their own.',
  notifying: true,
  schema: emailSchema,
  check: checkEmail,
  create: createEmail,
})
