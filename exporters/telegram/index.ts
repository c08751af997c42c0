import { defineExporter } from 'tocsin/component'
import { checkTelegram, type TelegramConfig, telegramSchema } from './config.js'
import { createTelegram } from './telegram.js'

export const telegramExporter = defineExporter<TelegramConfig>({
  api: 1,
  type: 'telegram',
  stability: 'beta',
  description: 'Sends each record as a message of a Telegram bot, to one or several chats.',
  notifying: true,
  schema: telegramSchema,
  check: checkTelegram,
  create: createTelegram,
})
