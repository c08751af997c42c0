import { createServer } from 'node:net'

// Below the range in which systems give out ports by themselves: there a connection of another test may take the port
// before its server listens.
const FIRST = 20_000
const COUNT = 12_000
let next = process.pid * 97

/** A port that is free now. Not given again soon, here or by the other processes of a test run. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + (next++ % COUNT)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
