/**
 * What wakes people in a chat when a log line says it: `@name` where a name may begin, `@all` and its like anywhere, and
 * Slack's `<!here>`, `<@U1>`, `<#C1>`, `<!subteam^S1>`, which Mattermost reads too. Full-width and small forms of `@`, `<`
 * and `!` are folded to them by some. An address such as `root@web-1` is left to be copied.
 */
const MENTIONS =
  /(?<![\p{L}\p{N}_.+-])[@\uff20\ufe6b](?=[\p{L}\p{N}_])|[@\uff20\ufe6b](?=(?:all|channel|here|everyone)\b)|[<\uff1c\ufe64](?=[!\uff01\ufe57@\uff20\ufe6b#])/giu

/** A space of no width: the mark is seen, and no name follows it. */
const BREAK = '\u200b'

/** Text that notifies nobody. */
export function withoutMentions(text: string): string {
  return text.replace(MENTIONS, `$&${BREAK}`)
}

/** The text again, also in Markdown, for where nobody is notified: to be copied as it was. */
export function withMentions(text: string): string {
  return text.replace(/([@\uff20\ufe6b<\uff1c\ufe64]|&lt;)\u200b/gu, '$1')
}
