import type { Editor } from '../signature.js'
import { MAP_EDITORS } from './maps.js'
import { REPLACE_EDITORS } from './replace.js'

export const EDITORS: ReadonlyMap<string, Editor> = new Map(
  [...MAP_EDITORS, ...REPLACE_EDITORS].map(editor => [editor.name, editor]),
)
