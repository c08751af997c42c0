import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { code, codeBlock, escapeMarkdown, link, renderMarkdown } from './index.js'

const SOURCE = `# Disk *full*

Host **web-1** has \`/var\` at 99 %. See [the runbook](https://wiki/x?a=1&b=2).

- first
- second <b>not a tag</b>

1. one
2. two

> quoted

\`\`\`sh
df -h <all>
\`\`\`
`

test('Markdown for a mail', () => {
  const html = renderMarkdown(SOURCE, 'html')
  expect(html).toContain('<h1>Disk <em>full</em></h1>')
  expect(html).toContain('<a href="https://wiki/x?a=1&amp;b=2">the runbook</a>')
  expect(html).toContain('second &lt;b&gt;not a tag&lt;/b&gt;')
  expect(html).toContain('<pre><code class="language-sh">df -h &lt;all&gt;')
})

test('Markdown for Telegram has only tags that Telegram knows', () => {
  expect(renderMarkdown(SOURCE, 'telegram_html')).toBe(`<b>Disk <i>full</i></b>

Host <b>web-1</b> has <code>/var</code> at 99 %. See <a href="https://wiki/x?a=1&amp;b=2">the runbook</a>.

• first
• second &lt;b&gt;not a tag&lt;/b&gt;

1. one
2. two

<blockquote>quoted</blockquote>

<pre><code class="language-sh">df -h &lt;all&gt;</code></pre>`)
})

test('Markdown as plain text', () => {
  expect(renderMarkdown(SOURCE, 'plain')).toBe(`Disk full

Host web-1 has /var at 99 %. See the runbook (https://wiki/x?a=1&b=2).

• first
• second <b>not a tag</b>

1. one
2. two

> quoted

df -h <all>`)
})

test('no address but web and mail becomes a link', () => {
  expect(renderMarkdown('[x](javascript:alert(1))', 'html')).not.toContain('href')
  expect(link('a', 'javascript:alert(1)')).toBe('a')
  expect(renderMarkdown(link('a]b', 'https://x/a_(b)'), 'html')).toBe(
    '<p><a href="https://x/a_%28b%29">a]b</a></p>',
  )
})

// What a line of a log may hold that means something in Markdown.
const hostile = fc
  .array(
    fc.constantFrom(
      ...'*_`[]()<>#+-.!~|&\\{}:@ 1a',
      '\n',
      '  ',
      '```',
      '&amp;',
      '](http://x)',
      '<a@b>',
      '<x:y>',
      '- ',
      '1. ',
      '> ',
      '# ',
    ),
    { maxLength: 12 },
  )
  .map(parts => parts.join(''))

test('what is escaped reads as it is, whatever stands around it', () => {
  fc.assert(
    fc.property(hostile, text => {
      const line = text.replace(/\s+/g, ' ').trim()
      expect(renderMarkdown(`a ${escapeMarkdown(line)} b`, 'plain')).toBe(`a ${line} b`)
    }),
    runs(2_000),
  )
})

test('a line break in a value starts no list, heading or quote', () => {
  fc.assert(
    fc.property(hostile, text => {
      const html = renderMarkdown(`a ${escapeMarkdown(text.replace(/\n\s*/g, '\n'))} b`, 'html')
      expect(html).not.toMatch(/<(?:ul|ol|h\d|blockquote|a|em|strong|code|hr|table|s)\b/)
    }),
    runs(2_000),
  )
})

test('code keeps its text, backticks too', () => {
  fc.assert(
    fc.property(hostile, text => {
      const line = text.replace(/\s*\n\s*/g, ' ')
      if (line.trim() === '') return
      const html = renderMarkdown(code(line), 'html')
      const [, inner = ''] = /^<p><code>([\s\S]*)<\/code><\/p>$/.exec(html) ?? []
      expect(unescaped(inner)).toBe(line)
      const block = renderMarkdown(codeBlock(text, 'sh"x'), 'plain')
      expect(block).toBe(text.replace(/\n$/, '').trim() === '' ? '' : text.replace(/\n$/, '').trim())
    }),
    runs(2_000),
  )
})

function unescaped(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}
