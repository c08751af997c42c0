import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** The folders where collectors of this user have their sockets; the first is where one is made. */
export function socketFolders(env: NodeJS.ProcessEnv): readonly string[] {
  const [runtime] = (env.RUNTIME_DIRECTORY ?? '').split(delimiter)
  return [
    ...(runtime ? [runtime] : []),
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, 'tocsin')] : []),
    join(tmpdir(), `tocsin-${process.getuid?.() ?? 0}`),
  ]
}

export function socketOf(env: NodeJS.ProcessEnv, pid: number): string {
  return join(socketFolders(env)[0] as string, `tap-${pid}.sock`)
}

/** Sockets that are there; a collector that was killed leaves one behind. `/run/tocsin` is that of the systemd unit. */
export async function socketsFound(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const found: string[] = []
  for (const folder of new Set([...socketFolders(env), '/run/tocsin'])) {
    const names = await readdir(folder).catch(() => [])
    found.push(...names.filter(name => /^tap-\d+\.sock$/.test(name)).map(name => join(folder, name)))
  }
  return found
}
