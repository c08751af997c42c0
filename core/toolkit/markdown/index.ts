/** Markdown for notifications: escaping what comes from logs, and rendering it for a channel. */
export { code, codeBlock, escapeMarkdown, escapeMarkdownV2, link } from './escape.js'
export { withoutMentions } from './mentions.js'
export { type MarkdownTarget, renderMarkdown } from './render.js'
