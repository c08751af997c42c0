import { isAbsolute, join } from 'node:path'
import { escapePath, glob } from 'tinyglobby'

/** Finds the files that patterns mean, as absolute paths in order. */
export type Discovery = () => Promise<string[]>

export function createDiscovery(
  include: readonly string[],
  exclude: readonly string[],
  baseDir: string,
): Discovery {
  const base = escapePath(baseDir)
  const patterns = include.map(pattern => (isAbsolute(pattern) ? pattern : join(base, pattern)))
  const ignore = exclude.map(pattern => {
    if (isAbsolute(pattern)) return pattern
    // `**/x` means anywhere, not only below the folder of the configuration.
    return pattern.startsWith('**/') ? `/${pattern}` : join(base, pattern)
  })
  return async () => {
    const paths = await glob(patterns, {
      cwd: '/',
      absolute: true,
      dot: true,
      expandDirectories: false,
      ignore,
    })
    return paths.sort()
  }
}
