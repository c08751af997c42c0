/**
 * What to do about a native module (re2, lmdb) that was built for another Node.js than this one, in one sentence; undefined
 * for any other error. `folder`: where to, if the error does not name the module's file.
 */
export function nativeModuleHint(error: unknown, folder: string): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ((at as NodeJS.ErrnoException).code !== 'ERR_DLOPEN_FAILED') continue
    const [, root = folder, name = 'a package'] =
      /([^'"\n]*)[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(at.message) ?? []
    return `The native module of ${name} was built for another Node.js than this one (${process.version}): run "npm rebuild" in ${root}.`
  }
  return undefined
}
