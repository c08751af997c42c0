// `npm run test:nodes [VERSION...]`: builds, and runs the unit tests and those of the components' sockets and files, on
// each Node.js line that is supported. The binaries and headers come from the npm package `node`; everything is installed
// anew in a folder of its own, as native modules are built for one line. re2, which takes minutes to compile where its
// binary cannot be had from GitHub, is kept in node_modules/.cache. Then the command is run with re2 as another line has it: it must say so in one sentence.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

const LINES = ['20.19', '22', '24', '26']
/** Of the components: their sockets, files and compression are Node's. */
const FOLDERS = ['receivers', 'exporters']
const CACHE = join('node_modules', '.cache', 'test-nodes')
const RE2 = join('node_modules', 're2', 'build', 'Release', 're2.node')

mkdirSync(CACHE, { recursive: true })
keep('.', process.execPath)
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
  const passed =
    run(npm(), 'install', '--ignore-scripts') &&
    (reuse(copy, node) || (run(npm(), 'rebuild', 're2') && keep(copy, node))) &&
    run('scripts/test.mjs', '--unit') &&
    run('scripts/test.mjs', '--e2e', ...FOLDERS) &&
    namesOtherLine(copy, node)
  results.push({ version, passed })
  rmSync(copy, { recursive: true, force: true })
}
rmSync(root, { recursive: true, force: true })
console.log()
for (const { version, passed } of results) console.log(`${version}: ${passed ? 'passed' : 'failed'}`)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1

/** Whether the commands say in one sentence that re2 was built for another line, and what to do. */
function namesOtherLine(copy, node) {
  const own = join(copy, RE2)
  const other = readdirSync(CACHE).find(name => !name.endsWith(suffix(node)))
  if (!other) {
    console.log('No re2 of another line is here yet: how it is told of was not tried.')
    return true
  }
  copyFileSync(join(CACHE, other), own)
  const sentence =
    /^The native module of re2 was built for another Node\.js than this one \(.*\): run "npm rebuild" in .*\.\n$/
  return [['components'], ['schema'], ['validate', '--config', 'distributions/full/demo.yaml']].every(
    words => {
      const { status, stderr } = spawnSync(node, ['dist/commands/tocsin.js', ...words], {
        cwd: copy,
        encoding: 'utf8',
      })
      const told = status === 1 && sentence.test(stderr)
      console.log(
        `tocsin ${words[0]} with the re2 of another line (${other}): ${told ? '' : 'NOT one sentence: '}${stderr.trim()}`,
      )
      return told
    },
  )
}

/** Puts the re2 of a folder by, for the next time; false when it has none. */
function keep(folder, node) {
  if (!existsSync(join(folder, RE2))) return false
  copyFileSync(join(folder, RE2), kept(folder, node))
  return true
}

function reuse(folder, node) {
  if (!existsSync(kept(folder, node))) return false
  mkdirSync(join(folder, RE2, '..'), { recursive: true })
  copyFileSync(kept(folder, node), join(folder, RE2))
  return true
}

/** Where the re2 that is installed in a folder is kept, by its version and what it is built for. */
function kept(folder, node) {
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', 're2', 'package.json'), 'utf8'))
  return join(CACHE, `re2-${version}${suffix(node)}`)
}

function suffix(node) {
  return execFileSync(
    node,
    ['-p', '`-${process.platform}-${process.arch}-${process.versions.modules}.node`'],
    {
      encoding: 'utf8',
    },
  ).trim()
}

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
