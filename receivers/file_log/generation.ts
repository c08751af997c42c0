import type { KeyValueChange } from 'tocsin/component'
import { type Checkpoint, removeChange, saveChange } from './checkpoints.js'
import type { Encoding } from './encoding.js'
import { type CutPoint, HEAD_BYTES, type Mark, markOf } from './fingerprint.js'
import type { Ahead } from './framer.js'
import type { Stream } from './ledger.js'
import type { FilePlace } from './opened-file.js'

/** How far a batch reaches. */
export interface Position {
  readonly offset: number
  readonly tail: Mark
  readonly ahead: Ahead
}

/** The file, as far as it counts for a checkpoint. */
export interface FileOfGenerations {
  readonly path: string
  readonly firstPath: string
  readonly home: string
  readonly place: FilePlace
  readonly contentNs: bigint
  readonly readNs: bigint
  readonly done: boolean
  readonly isCopy: boolean
  readonly encoding: Encoding
  /** The one that is being read. */
  readonly generation: Generation
  cutsUpTo(offset: number): readonly CutPoint[]
}

/** The content of a file between two truncations: it has a name in record ids and a checkpoint of its own. */
export class Generation implements Stream {
  readonly file: FileOfGenerations
  /** Nothing more comes of it: its checkpoint goes when all is settled. */
  retired = false
  /** What is known of a copy of it: that stays then. */
  heir: Checkpoint | undefined
  #head: Buffer
  #mark: Mark | undefined

  constructor(
    file: FileOfGenerations,
    head: Buffer,
    /** Undefined until something is read. */
    public id: string | undefined,
    /** The store knows it. */
    public persisted: boolean,
  ) {
    this.file = file
    this.#head = head
  }

  get headBytes(): Buffer {
    return this.#head
  }
  set headBytes(head: Buffer) {
    this.#head = head
    this.#mark = undefined
  }

  get head(): Mark {
    this.#mark ??= markOf(this.#head)
    return this.#mark
  }

  growHead(bytes: Buffer, at: number): void {
    const known = this.#head.length
    if (known >= HEAD_BYTES || at > known || at + bytes.length <= known) return
    this.headBytes = Buffer.concat([this.#head, bytes.subarray(known - at, HEAD_BYTES - at)])
  }

  checkpoint(position: unknown, settled = true): KeyValueChange {
    const id = this.id as string
    if (this.retired && settled) return this.heir ? saveChange(this.heir) : removeChange(id)
    return saveChange(this.describe(position as Position, settled))
  }

  /** `settled`: nothing that was read beyond the position is still on its way. */
  describe({ offset, tail, ahead }: Position, settled = true): Checkpoint {
    const { path, firstPath, home, place, done, isCopy, encoding } = this.file
    const mtimeNs = this.file.generation === this ? this.file.contentNs : this.file.readNs
    // After a truncation the file's cut points are those of another generation.
    const cuts = this.file.generation === this ? this.file.cutsUpTo(offset) : []
    const { id = '', head } = this
    return {
      id,
      path,
      firstPath,
      home,
      ...place,
      offset,
      head,
      tail,
      ahead,
      cuts,
      mtimeNs,
      ...(done && settled && { done }),
      ...(isCopy && { copy: true }),
      ...(encoding.unit === 2 && { encoding: encoding.name }),
    }
  }
}
