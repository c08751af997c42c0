// Writes the table of components into README.md, from the components themselves. Run after `npm run build`.
import { readFileSync, writeFileSync } from 'node:fs'

export function componentsTable(components) {
  const folders = {
    receiver: 'receivers',
    processor: 'processors',
    exporter: 'exporters',
    connector: 'core/connectors',
    extension: 'core/extensions',
  }
  const rows = Object.keys(folders).flatMap(kind =>
    components
      .filter(component => component.kind === kind)
      .sort((a, b) => (a.type < b.type ? -1 : 1))
      .map(
        ({ type, description }) =>
          `| ${kind} | [${type}](${folders[kind]}/${type}/README.md) | ${description.replaceAll('|', '\\|')} |`,
      ),
  )
  return ['| kind | type | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

if (process.argv[1]?.endsWith('components-table.mjs')) {
  const { components: sources } = await import('../dist/distributions/full/components.js')
  const components = await Promise.all(sources.map(source => source.load()))
  const readme = readFileSync('README.md', 'utf8')
  const table = `<!-- components -->\n${componentsTable(components)}\n<!-- /components -->`
  writeFileSync('README.md', readme.replace(/<!-- components -->[\s\S]*<!-- \/components -->/, table))
}
