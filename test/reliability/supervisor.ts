import { type Running, startCommand } from '../support/command.js'

const RESTART_MS = 200
/** On a machine that does much else. */
const START_PATIENCE_MS = 120_000

/** Keeps the built command running, as an init system does: starts it again however it ended. */
export class Supervisor {
  kills = 0
  /** What lives said that ended by themselves. */
  readonly accidents: string[] = []
  /** Lives that decided without Redis, as they said. */
  livesApart = 0
  readonly #args: readonly string[]
  readonly #onStart: () => void
  #running: Running | undefined
  #stopping = false
  #loop: Promise<void> | undefined

  /** `onStart` is called before each life. */
  constructor(yaml: string, onStart: () => void) {
    this.#args = ['--config', `yaml:${yaml}`]
    this.#onStart = onStart
  }

  /** Resolves when it runs. */
  async start(): Promise<void> {
    this.#loop = this.#supervise()
    await this.#running?.says(/is running/, START_PATIENCE_MS)
  }

  /** kill -9, at whatever it is doing. */
  kill(): void {
    this.kills++
    this.#running?.child.kill('SIGKILL')
  }

  signal(signal: NodeJS.Signals): void {
    this.#running?.child.kill(signal)
  }

  get runs(): boolean {
    return /is running/.test(this.said)
  }

  get pid(): number | undefined {
    return this.#running?.child.pid
  }

  /** What the present life said. */
  get said(): string {
    return this.#running?.output().stderr ?? ''
  }

  /** Drains; answers what the last life said. Throws when it does not end well. */
  async stop(): Promise<string> {
    // One that has only just been started again does not know the signal yet.
    await Promise.race([this.#running?.says(/is running/, START_PATIENCE_MS), this.#running?.finished])
    this.#stopping = true
    this.signal('SIGTERM')
    await this.#loop
    const { code, stderr } = (await this.#running?.finished) ?? { code: 1, stderr: 'It was never started.' }
    if (code !== 0) throw new Error(`It ended with ${code}:\n${stderr}`)
    return stderr
  }

  /** Ends it without further ado. */
  async abandon(): Promise<void> {
    this.#stopping = true
    this.signal('SIGKILL')
    await this.#loop
  }

  async #supervise(): Promise<void> {
    while (!this.#stopping) {
      this.#onStart()
      const life = startCommand(this.#args)
      this.#running = life
      const { signal, code, stderr } = await life.finished
      if (stderr.includes('State goes on locally')) this.livesApart++
      if (this.#stopping) return
      if (signal !== 'SIGKILL') this.accidents.push(`code ${code}\n${stderr.slice(-2_000)}`)
      if (signal !== 'SIGKILL') await new Promise(resolve => setTimeout(resolve, RESTART_MS))
    }
  }
}
