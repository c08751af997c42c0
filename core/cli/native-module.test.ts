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
  expect(nativeModuleHint(new Error('other'), '/app')).toBeUndefined()
})
