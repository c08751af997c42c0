import { expect, it } from 'vitest'
import { nearest } from './suggest.js'

it.each([
  ['qurey', ['query', 'key'], 'query'],
  ['endpiont', ['endpoint'], 'endpoint'],
  ['Start-At', ['start_at'], 'start_at'],
  ['stdni', ['stdin', 'std'], 'stdin'],
  ['quxyy', ['query'], undefined],
  ['abcde', ['bacdx'], undefined],
])('%s of %j', (name, candidates, expected) => expect(nearest(name, candidates)).toBe(expected))
