import { EmbeddedActionsParser, type IToken, tokenLabel } from 'chevrotain'
import type { MathOp } from './arithmetic.js'
import type { Argument, Entry, Node, NodeOf, Operand, Segment, StatementNode } from './ast.js'
import type { CompareOp } from './compare.js'
import { T, VOCABULARY } from './tokens.js'

/**
 * OTTL's grammar as one ladder of precedence, from `or` down to literals; what may stand where (a comparison is
 * no value, a bare path no condition) is checked afterwards, where the message can be better.
 */
export class OttlParser extends EmbeddedActionsParser {
  constructor() {
    super(VOCABULARY, {
      errorMessageProvider: {
        buildMismatchTokenMessage: ({ expected }) => `expected ${tokenLabel(expected)}`,
        buildNotAllInputParsedMessage: ({ ruleName }) =>
          `expected ${ruleName === 'statement' ? '"where"' : '"and", "or"'} or the end`,
        buildNoViableAltMessage: () => 'expected a value',
        buildEarlyExitMessage: () => 'expected a value',
      },
    })
    this.performSelfAnalysis()
  }

  readonly statement = this.RULE('statement', (): StatementNode => {
    const name = this.CONSUME(T.Name)
    const editor = this.SUBRULE(this.call, { ARGS: [name] }) as NodeOf<'call'>
    const where = this.OPTION(() => {
      this.CONSUME(T.Where)
      return this.SUBRULE(this.condition)
    })
    return { editor, where }
  })

  readonly condition = this.RULE('condition', (): Node => {
    const items: Node[] = []
    this.AT_LEAST_ONE_SEP({ SEP: T.Or, DEF: () => items.push(this.SUBRULE(this.conjunction)) })
    return items.length === 1 ? items[0]! : { kind: 'or', items, ...span(items) }
  })

  private readonly conjunction = this.RULE('conjunction', (): Node => {
    const items: Node[] = []
    this.AT_LEAST_ONE_SEP({ SEP: T.And, DEF: () => items.push(this.SUBRULE(this.negation)) })
    return items.length === 1 ? items[0]! : { kind: 'and', items, ...span(items) }
  })

  private readonly negation = this.RULE('negation', (): Node => {
    let first: IToken | undefined
    let negated = false
    this.MANY(() => {
      const token = this.CONSUME(T.Not)
      first ??= token
      negated = !negated
    })
    const item = this.SUBRULE(this.comparison)
    if (!first) return item
    const inner: Node = { kind: 'not', item, at: first.startOffset, end: item?.end ?? 0 }
    return negated ? inner : { kind: 'not', item: inner, at: inner.at, end: inner.end }
  })

  private readonly comparison = this.RULE('comparison', (): Node => {
    const left = this.SUBRULE(this.sum)
    return (
      this.OPTION((): Node => {
        const op = this.CONSUME(T.Compare).image as CompareOp
        const right = this.SUBRULE2(this.sum)
        return { kind: 'compare', left, op, right, ...span([left, right]) }
      }) ?? left
    )
  })

  private readonly sum = this.RULE('sum', (): Node => {
    const first = this.SUBRULE(this.product)
    const rest: Operand<MathOp>[] = []
    this.MANY(() => {
      const op = this.OR([{ ALT: () => this.CONSUME(T.Plus) }, { ALT: () => this.CONSUME(T.Minus) }])
      rest.push({ op: op.image as MathOp, at: op.startOffset, node: this.SUBRULE2(this.product) })
    })
    return mathNode(first, rest)
  })

  private readonly product = this.RULE('product', (): Node => {
    const first = this.SUBRULE(this.atom)
    const rest: Operand<MathOp>[] = []
    this.MANY(() => {
      const op = this.OR([{ ALT: () => this.CONSUME(T.Times) }, { ALT: () => this.CONSUME(T.Divide) }])
      rest.push({ op: op.image as MathOp, at: op.startOffset, node: this.SUBRULE2(this.atom) })
    })
    return mathNode(first, rest)
  })

  private readonly atom = this.RULE(
    'atom',
    (): Node =>
      this.OR<Node>([
        { ALT: () => this.SUBRULE(this.number) },
        { ALT: () => leaf({ kind: 'string' }, this.CONSUME(T.String)) as Node },
        { ALT: () => leaf({ kind: 'bytes' }, this.CONSUME(T.Bytes)) as Node },
        { ALT: () => leaf({ kind: 'bool', value: true }, this.CONSUME(T.True)) as Node },
        { ALT: () => leaf({ kind: 'bool', value: false }, this.CONSUME(T.False)) as Node },
        { ALT: () => leaf({ kind: 'nil' }, this.CONSUME(T.Nil)) as Node },
        { ALT: () => this.SUBRULE(this.named) },
        { ALT: () => this.SUBRULE(this.group) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.map) },
      ]),
  )

  private readonly number = this.RULE('number', (): Node => {
    const sign = this.OPTION(() =>
      this.OR([{ ALT: () => this.CONSUME(T.Plus) }, { ALT: () => this.CONSUME(T.Minus) }]),
    )
    return this.OR2<Node>([
      { ALT: () => leaf({ kind: 'int' }, this.CONSUME(T.Int), sign) as Node },
      { ALT: () => leaf({ kind: 'double' }, this.CONSUME(T.Double), sign) as Node },
    ])
  })

  private readonly group = this.RULE('group', (): Node => {
    this.CONSUME(T.Open)
    const inner = this.SUBRULE(this.condition)
    this.CONSUME(T.Close)
    return inner
  })

  private readonly list = this.RULE('list', (): Node => {
    const items: Node[] = []
    const open = this.CONSUME(T.OpenList)
    this.MANY_SEP({ SEP: T.Comma, DEF: () => items.push(this.SUBRULE(this.sum)) })
    const close = this.CONSUME(T.CloseList)
    return { kind: 'list', items, at: open.startOffset, end: endOf(close) }
  })

  private readonly map = this.RULE('map', (): Node => {
    const entries: Entry[] = []
    const open = this.CONSUME(T.OpenMap)
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () => {
        const key = this.CONSUME(T.String)
        this.CONSUME(T.Colon)
        entries.push({ key: key.image, at: key.startOffset, value: this.SUBRULE(this.sum) })
      },
    })
    const close = this.CONSUME(T.CloseMap)
    return { kind: 'map', entries, at: open.startOffset, end: endOf(close) }
  })

  /** A call, a path, an enum, or the bare name of a converter. */
  private readonly named = this.RULE('named', (): Node => {
    const name = this.CONSUME(T.Name)
    return this.OR<Node>([
      { GATE: () => this.LA(1).tokenType === T.Open, ALT: () => this.SUBRULE(this.call, { ARGS: [name] }) },
      { ALT: () => this.SUBRULE(this.path, { ARGS: [name] }) },
    ])
  })

  private readonly call = this.RULE('call', (name: IToken): Node => {
    const args: Argument[] = []
    this.CONSUME(T.Open)
    this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.argument)) })
    this.CONSUME(T.Close)
    const keys = this.SUBRULE(this.keys)
    return {
      kind: 'call',
      name: name?.image ?? '',
      args,
      keys,
      at: name?.startOffset ?? 0,
      end: endOf(this.LA(0)),
    }
  })

  private readonly argument = this.RULE('argument', (): Argument => {
    const name = this.OPTION({
      GATE: () => this.LA(2).tokenType === T.Equal,
      DEF: () => {
        const token = this.CONSUME(T.Name)
        this.CONSUME(T.Equal)
        return token
      },
    })
    const value = this.SUBRULE(this.sum)
    return { name: name?.image, at: name?.startOffset ?? value?.at ?? 0, value }
  })

  private readonly path = this.RULE('path', (name: IToken): Node => {
    const segments: Segment[] = [
      { name: name?.image ?? '', at: name?.startOffset ?? 0, keys: this.SUBRULE(this.keys) },
    ]
    this.MANY(() => {
      this.CONSUME(T.Dot)
      const next = this.CONSUME(T.Name)
      segments.push({ name: next.image, at: next.startOffset, keys: this.SUBRULE2(this.keys) })
    })
    return { kind: 'path', segments, at: segments[0]!.at, end: endOf(this.LA(0)) }
  })

  private readonly keys = this.RULE('keys', (): Node[] => {
    const keys: Node[] = []
    this.MANY(() => {
      this.CONSUME(T.OpenList)
      keys.push(this.SUBRULE(this.sum))
      this.CONSUME(T.CloseList)
    })
    return keys
  })
}

function leaf(part: object, token: IToken, sign?: IToken): object {
  const text = `${sign?.image ?? ''}${token.image}`
  return { ...part, text, at: (sign ?? token).startOffset, end: endOf(token) }
}

function mathNode(first: Node, rest: readonly Operand<MathOp>[]): Node {
  if (rest.length === 0) return first
  return { kind: 'math', first, rest, ...span([first, rest[rest.length - 1]!.node]) }
}

// While chevrotain records the grammar, rules answer with placeholders.
function span(nodes: readonly Node[]): { at: number; end: number } {
  return { at: nodes[0]?.at ?? 0, end: nodes[nodes.length - 1]?.end ?? 0 }
}

function endOf(token: IToken): number {
  return token.startOffset + token.image.length
}
