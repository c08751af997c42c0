import { expect, it } from 'vitest'
import { nativeModuleHint } from './native-module.js'

it('names the package and the command that mends it', () => {
  const cause = Object.assign(
    new Error(
      "The module '/app/node_modules/re2/build/Release/re2.node'\nwas compiled against a different Node.js version",
    ),
    { code: 'ERR_DLOPEN_FAILED' },
  )
  for (const error of [cause, new Error('wrapped', { cause })]) {
    expect(nativeModuleHint(error, '/app')).toBe(
      `The native module of re2 was built for another Node.js than this one (${process.version}): run "npm rebuild" in /app.`,
    )
  }
  // As a dependency of somebody's: what is there is theirs to build.
  for (const [file, folder] of [
    ['/mine/node_modules/re2/re2.node', '/mine'],
    ['/lib/node_modules/tocsin/node_modules/re2/re2.node', '/lib/node_modules/tocsin'],
  ] as const) {
    const error = Object.assign(new Error(`The module '${file}'`), { code: 'ERR_DLOPEN_FAILED' })
    expect(nativeModuleHint(error, '/mine/node_modules/tocsin')).toContain('of re2 was built')
    expect(nativeModuleHint(error, '/mine/node_modules/tocsin')).toMatch(new RegExp(`in ${folder}\\.$`))
  }
  expect(nativeModuleHint(new Error('other'), '/app')).toBeUndefined()
})
