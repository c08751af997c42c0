// npm leaves optional packages for other platforms out of the lock file where a registry does not have them, and its
// `npm ci` (11) then refuses the file. Run after every `npm install`: adds what is missing, so that it works everywhere.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const packages = lock.packages
let added = 0
for (const [parent, { optionalDependencies = {}, dev }] of Object.entries({ ...packages })) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`
    if (packages[key] || packages[`${parent}/${key}`]) continue
    const [, os, cpu] =
      /(android|darwin|linux|win32|freebsd|openbsd|netbsd|openharmony|sunos|aix)[-_]([a-z0-9]+)/.exec(name) ??
      []
    if (!os) {
      console.warn(`${name}: which platform it is for does not show in its name; left out.`)
      continue
    }
    packages[key] = {
      version: version.replace(/^[~^]/, ''),
      cpu: [cpu],
      ...(dev && { dev }),
      ...(os === 'linux' && { libc: [name.includes('musl') ? 'musl' : 'glibc'] }),
      optional: true,
      os: [os],
    }
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
if (added > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} packages added.`)
