import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCommand } from '../support/command.js'
import { ROOT } from '../support/shared.js'

// yaml-language-server 1.18.0 (findings/yaml-language-server-patterns.sh), which VS Code's YAML extension and other editors run, with what `tocsin schema` prints.
const SERVER = join(ROOT, 'node_modules/yaml-language-server/bin/yaml-language-server')

let folder = ''
let editor: Editor
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-editor-'))
  const { stdout } = await startCommand(['schema']).finished
  writeFileSync(join(folder, 'tocsin.schema.json'), stdout)
  editor = await Editor.start(folder)
})
afterAll(() => {
  editor.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('an editor', () => {
  test('has nothing to say about configurations that run', async () => {
    const files = ['full', 'stateful-alert/examples', 'valerter'].flatMap(name => {
      const path = join(ROOT, 'distributions', name)
      return readdirSync(path).flatMap(file =>
        file.endsWith('.yaml') && !file.includes('.test.') ? [join(path, file)] : [],
      )
    })
    expect(files.length).toBeGreaterThan(6)
    for (const file of files) expect(await editor.problems(readFileSync(file, 'utf8')), file).toEqual([])
  })

  test('marks what no configuration may have', async () => {
    const wrong = 'receivers:\n  file_log:\n    inclde: [a.log]\n  fil_log: {}\nservice: {pipelines: {}}\n'
    expect(await editor.problems(wrong)).toEqual([
      expect.stringMatching(/^3: Property inclde is not allowed/),
      expect.stringMatching(/^4: Property fil_log is not allowed/),
    ])
    const value = 'receivers:\n  file_log:\n    start_at: middle\nservice: {pipelines: {}}\n'
    expect(await editor.problems(value)).toEqual([
      expect.stringMatching(/^3: Value is not accepted.*beginning/),
    ])
  })

  test('completes components, their keys, common keys and values, and explains them', async () => {
    expect(await editor.completions('receivers:\n  ')).toEqual(
      expect.arrayContaining(['file_log', 'otlp', 'victorialogs']),
    )
    const keys = await editor.completions('exporters:\n  webhook:\n    ')
    expect(keys).toEqual(
      expect.arrayContaining(['endpoint', 'sending_queue', 'retry_on_failure', 'condition']),
    )
    expect(await editor.completions('receivers:\n  file_log/app:\n    start_at: ')).toEqual(
      expect.arrayContaining(['end', 'beginning']),
    )
    expect(await editor.completions('service:\n  telemetry:\n    metrics:\n      ')).toContain('readers')
    const text = 'receivers:\n  file_log/app:\n    start_at: end\n'
    expect(await editor.hover(text, 2, 6)).toContain(
      'Where to start in files that are there at the first start',
    )
    expect(await editor.hover(text, 1, 4)).toContain('Reads the lines of files')
  })
})

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
}

/** As much of an editor as speaks the Language Server Protocol with one document open. */
class Editor {
  readonly #child = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
  readonly #answers = new Map<number, (result: unknown) => void>()
  readonly #diagnostics = new Map<string, (found: readonly Diagnostic[]) => void>()
  #received = Buffer.alloc(0)
  #ids = 0

  private constructor(private readonly folder: string) {
    this.#child.stdout.on('data', piece => {
      this.#received = Buffer.concat([this.#received, piece])
      for (;;) {
        const head = this.#received.indexOf('\r\n\r\n')
        const length = Number(/Content-Length: (\d+)/.exec(this.#received.toString('latin1', 0, head))?.[1])
        if (head < 0 || this.#received.length < head + 4 + length) return
        const message = JSON.parse(this.#received.toString('utf8', head + 4, head + 4 + length))
        this.#received = this.#received.subarray(head + 4 + length)
        this.#take(message)
      }
    })
  }

  static async start(folder: string): Promise<Editor> {
    const editor = new Editor(folder)
    await editor.#ask('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      capabilities: {},
    })
    editor.#send({ method: 'initialized', params: {} })
    const yaml = { validate: true, hover: true, completion: true, schemaStore: { enable: false } }
    editor.#send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml } } })
    return editor
  }

  /** `LINE: message`, as the editor underlines them; the line that names the schema is not counted. */
  async problems(text: string): Promise<string[]> {
    const uri = this.#uri()
    const found = new Promise<readonly Diagnostic[]>(resolve => this.#diagnostics.set(uri, resolve))
    this.#open(uri, text)
    return (await found).map(({ range, message }) => `${range.start.line}: ${message}`)
  }

  /** At the end of a text. */
  async completions(text: string): Promise<string[]> {
    const uri = this.#uri()
    this.#open(uri, text)
    const lines = `${FIRST}${text}`.split('\n')
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 }
    const { items } = (await this.#ask('textDocument/completion', { textDocument: { uri }, position })) as {
      items: readonly { label: string }[]
    }
    return items.map(({ label }) => label)
  }

  async hover(text: string, line: number, character: number): Promise<string> {
    const uri = this.#uri()
    this.#open(uri, text)
    const position = { line: line + 1, character }
    return JSON.stringify(await this.#ask('textDocument/hover', { textDocument: { uri }, position }))
  }

  stop(): void {
    this.#child.kill()
  }

  #uri(): string {
    return pathToFileURL(join(this.folder, `${++this.#ids}.yaml`)).href
  }

  #open(uri: string, text: string): void {
    const textDocument = { uri, languageId: 'yaml', version: 1, text: `${FIRST}${text}` }
    this.#send({ method: 'textDocument/didOpen', params: { textDocument } })
  }

  #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#ids
    this.#send({ id, method, params })
    return new Promise(resolve => this.#answers.set(id, resolve))
  }

  #send(message: Message): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }

  #take({ id, method, params, result }: Message): void {
    if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: readonly Diagnostic[] }
      this.#diagnostics.get(uri)?.(diagnostics)
    } else if (method !== undefined && id !== undefined) this.#send({ id, result: [] })
    else if (id !== undefined) this.#answers.get(id)?.(result)
  }
}

const FIRST = '# yaml-language-server: $schema=tocsin.schema.json\n'

interface Diagnostic {
  readonly range: { readonly start: { readonly line: number } }
  readonly message: string
}
