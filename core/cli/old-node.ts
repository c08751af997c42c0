/** What to do about a Node.js that is too old for Tocsin, in one sentence; undefined where it will do. */
export function oldNodeHint(name: string, version = process.version): string | undefined {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  return major > 20 || (major === 20 && minor >= 19)
    ? undefined
    : `${name} needs Node.js 20.19 or later, and this is ${version}: install a newer one, or start ${name} with it.`
}
