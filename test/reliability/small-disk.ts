import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A disk of its own, that can be filled. */
export interface SmallDisk {
  readonly path: string
  fill(): void
  /** Makes room again. */
  free(): void
  unmount(): void
}

const SIZE = '24m'

/** A tmpfs at `path`; undefined where this user may not mount one. */
export async function smallDisk(path: string): Promise<SmallDisk | undefined> {
  await mkdir(path, { recursive: true })
  const mounted = process.getuid?.() === 0 && run('mount', '-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', path)
  if (!mounted) return undefined
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      const file = openSync(filler, 'w')
      try {
        // The last writes are small, so that nothing is left.
        for (const size of [65_536, 512]) writeUntilFull(file, Buffer.alloc(size))
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(filler, { force: true }),
    unmount: () => void (run('umount', path) || run('umount', '-l', path)),
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    while (writeSync(file, block) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}
