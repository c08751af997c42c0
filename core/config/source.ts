/** Where configuration text came from, and where its files are relative to. */
export interface Source {
  /** How problems name it: the file as the user wrote it, `env:NAME`, `--set a.b`. */
  readonly name: string
  /** Absolute; `${file:...}` and packages start here. */
  readonly folder: string
  position(offset: number): Position
}

export interface Position {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

/** A place in a source; line and column are worked out only for problems. */
export interface Place {
  readonly source: Source
  readonly offset: number
}

export function textSource(name: string, folder: string, text: string): Source {
  let starts: number[] | undefined
  return {
    name,
    folder,
    position(offset) {
      starts ??= lineStarts(text)
      let low = 0
      let high = starts.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (starts[middle]! <= offset) low = middle
        else high = middle - 1
      }
      return { file: name, line: low + 1, column: offset - starts[low]! + 1 }
    },
  }
}

/** For text that is not in a file of its own, such as a `--set`: every offset is the same place. */
export function fixedSource(name: string, folder: string, position: Position = { file: name }): Source {
  return { name, folder, position: () => position }
}

export function positionOf(place: Place): Position {
  return place.source.position(place.offset)
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
