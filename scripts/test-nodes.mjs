// `npm run test:nodes [VERSION...]`: builds and runs the unit tests on each Node.js line that is supported. The binaries
// and headers come from the npm package `node`; everything is installed anew in a folder of its own, as native modules
// are built for one line.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

const LINES = ['20.19', '22', '24', '26']

const asked = process.argv.slice(2)
const root = mkdtempSync(join(tmpdir(), 'tocsin-nodes-'))
const results = []
for (const line of asked.length > 0 ? asked : LINES) {
  const { node, headers } = install(line)
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`\n== Node.js ${version}`)
  const copy = join(root, `tocsin-${line}`)
  for (const file of execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    encoding: 'utf8',
  }).split('\n')) {
    // Without the lock file: each line gets what its users get, such as the re2 that still, or only, builds there.
    if (file && file !== 'package-lock.json' && existsSync(file))
      cpSync(file, join(copy, file), { recursive: true })
  }
  const env = {
    ...process.env,
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    npm_config_nodedir: headers,
    npm_node_execpath: node,
  }
  const run = (...command) => spawnSync(node, command, { cwd: copy, env, stdio: 'inherit' }).status === 0
  const passed = run(npm(), 'install') && run('scripts/build.mjs') && run('scripts/test.mjs', '--unit')
  results.push({ version, passed })
  rmSync(copy, { recursive: true, force: true })
}
rmSync(root, { recursive: true, force: true })
console.log()
for (const { version, passed } of results) console.log(`${version}: ${passed ? 'passed' : 'failed'}`)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1

/** The binary of a line, and the folder with its headers. */
function install(line) {
  const folder = join(root, `node-${line}`)
  mkdirSync(folder)
  spawnSync(process.execPath, [npm(), 'install', '--prefix', folder, '--no-save', `node@${line}`], {
    stdio: 'inherit',
  })
  const name = readdirSync(join(folder, 'node_modules')).find(each =>
    each.startsWith(`node-${process.platform}`),
  )
  if (!name) {
    // npm may leave install scripts out, which would fetch it.
    const wanted = `node-${process.platform}-${process.arch}@${line}`
    spawnSync(process.execPath, [npm(), 'install', '--prefix', folder, '--no-save', wanted], {
      stdio: 'inherit',
    })
  }
  const home = join(folder, 'node_modules', name ?? `node-${process.platform}-${process.arch}`)
  return { node: join(home, 'bin', 'node'), headers: home }
}

/** npm's own program, run with the Node.js that is to be tried. */
function npm() {
  if (process.env.npm_execpath) return process.env.npm_execpath
  const prefix = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim()
  return join(prefix, 'npm', 'bin', 'npm-cli.js')
}
