import type { MathOp } from './arithmetic.js'
import type { CompareOp } from './compare.js'

/** The parsed form of an expression. `at` and `end` are positions in the text. */
export type Node = { readonly at: number; readonly end: number } & (
  | { readonly kind: 'string' | 'bytes' | 'int' | 'double'; readonly text: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'nil' }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'map'; readonly entries: readonly Entry[] }
  | { readonly kind: 'path'; readonly segments: readonly Segment[] }
  | CallPart
  | { readonly kind: 'math'; readonly first: Node; readonly rest: readonly Operand<MathOp>[] }
  | { readonly kind: 'compare'; readonly left: Node; readonly op: CompareOp; readonly right: Node }
  | { readonly kind: 'not'; readonly item: Node }
  | { readonly kind: 'and' | 'or'; readonly items: readonly Node[] }
)

export type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>

export interface Segment {
  readonly name: string
  readonly at: number
  readonly keys: readonly Node[]
}

export interface Entry {
  /** The key as written, in its quotes. */
  readonly key: string
  readonly at: number
  readonly value: Node
}

export interface Operand<Op> {
  readonly op: Op
  readonly at: number
  readonly node: Node
}

interface CallPart {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Argument[]
  readonly keys: readonly Node[]
}

export interface Argument {
  /** As written, in `name = value`. */
  readonly name: string | undefined
  readonly at: number
  readonly value: Node
}

/** `editor(...) where condition`. */
export interface StatementNode {
  readonly editor: NodeOf<'call'>
  readonly where: Node | undefined
}
