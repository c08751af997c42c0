/** What a notification says of a record: title, text, colour, the id by which a repeat is recognised. */

/** How a chat shows a log line as it is. */
export { codeBlock, escapeMarkdown, link, withoutMentions } from '../markdown/index.js'
export { type Fact, formatSpan, hostOf, lineOf } from './default-text.js'
export { eventIdOf, idempotencyKey } from './event-id.js'
export { isAddress, type Link, linkMaps, parseLinks } from './links.js'
export {
  type BodyFormat,
  type Notification,
  type NotificationOptions,
  notificationMap,
  notificationOf,
  withNotification,
} from './notification.js'
