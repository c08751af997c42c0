// The page of the dashboard extension: bundled and compressed here, so that nothing is left to do for a request. Its file
// names carry a hash of their content and are cached for good; index.html names them.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const PAGE = 'core/extensions/dashboard/page'
const OUT = 'dist/page'

/** What a first paint would wait for is within index.html: the policy names it by its hash, in inline.json. */
const INLINE = { theme: 'script', style: 'style' }

/** Answers what went into the bundle, for the licences. */
export async function buildPage() {
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT, { recursive: true })
  const { metafile } = await build({
    entryPoints: {
      page: join(PAGE, 'main.tsx'),
      theme: join(PAGE, 'theme.ts'),
      style: join(PAGE, 'style.css'),
    },
    bundle: true,
    format: 'iife',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    outdir: OUT,
    entryNames: '[name]-[hash]',
    metafile: true,
    logLevel: 'warning',
  })
  const built = readdirSync(OUT)
  const named = name => built.find(file => file.startsWith(`${name}-`))
  const html = readFileSync(join(PAGE, 'index.html'), 'utf8')
  const inline = { script: [], style: [] }
  const filled = html.replaceAll(/\{\{(\w+)\}\}/g, (_, name) => {
    const kind = INLINE[name]
    if (kind === undefined) return named(name)
    const file = join(OUT, named(name))
    const text = readFileSync(file, 'utf8').trim()
    if (text.includes(`</${kind}`)) throw new Error(`${file} cannot stand in a page.`)
    rmSync(file)
    inline[kind].push(`'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    return `<${kind}>${text}</${kind}>`
  })
  writeFileSync(join(OUT, 'index.html'), filled)
  writeFileSync(join(OUT, 'inline.json'), JSON.stringify(inline))
  for (const file of readdirSync(OUT).filter(name => !name.endsWith('.json'))) {
    const packed = gzipSync(readFileSync(join(OUT, file)), { level: constants.Z_BEST_COMPRESSION })
    writeFileSync(join(OUT, `${file}.gz`), packed)
  }
  return metafile
}
