/** What a notification says of a record: title, text, colour, the id by which a repeat is recognised. */
export { eventIdOf, idempotencyKey } from './event-id.js'
export {
  type BodyFormat,
  formatSpan,
  type Notification,
  type NotificationOptions,
  notificationOf,
  withNotification,
} from './notification.js'
