import type { Argument, NodeOf, StatementNode } from './ast.js'
import { bindArguments, checkArguments, namedAfter } from './call.js'
import { Compiler, type Rules, type Test } from './compile.js'
import type { Draft } from './draft.js'
import { EDITORS } from './editors/index.js'
import { Fault } from './errors.js'
import type { Target } from './expression.js'
import { MISSING } from './missing.js'
import { nearest } from './nearest.js'
import { anything, type Editor, type Param, param } from './signature.js'
import { typeNoun } from './values.js'

/** One compiled statement. Throws `OttlEvalError`; the draft is then as before. */
export interface Statement {
  readonly text: string
  run(draft: Draft): void
}

/** Compiles `editor(target, ...) where condition`. Throws `Fault`. */
export function compileStatement(text: string, node: StatementNode, rules: Rules): Statement {
  const compiler = new Compiler(rules)
  const edit = compileEditor(node.editor, compiler)
  const where: Test | undefined = node.where && compiler.condition(node.where)
  return {
    text,
    run: where
      ? draft => {
          if (where(draft)) edit(draft)
        }
      : edit,
  }
}

function compileEditor(node: NodeOf<'call'>, compiler: Compiler): (draft: Draft) => void {
  const editor = findEditor(node, compiler)
  if (node.keys[0]) throw new Fault(`${editor.name} answers nothing that has keys`, node.keys[0].at - 1)
  const params: Param[] = [param('target', anything), ...editor.params]
  const target = compileTarget(editor, node.args, compiler)
  const [, ...args] = bindArguments(editor.name, params, node.args, node.at, compiler)
  checkArguments(editor, args, node.at)
  const run = editor.run as (draft: Draft, target: Target, ...values: unknown[]) => void
  return draft => {
    try {
      run(draft, target, ...args.map(arg => arg.get(draft)))
    } catch (error) {
      throw namedAfter(editor.name, error)
    }
  }
}

function compileTarget(editor: Editor, args: readonly Argument[], compiler: Compiler): Target {
  const argument =
    args.find(each => each.name === 'target') ?? (args[0]?.name === undefined ? args[0] : undefined)
  // Absent: bindArguments says so, with the usage.
  if (!argument) return undefined as never
  const { target, type } = compiler.value(argument.value)
  if (!target) throw new Fault(`${editor.name} changes a path, such as attributes["key"]`, argument.at)
  if (editor.target === 'map' && type !== 'map' && type !== 'any') {
    throw new Fault(`${editor.name} changes a map; ${target.name} is ${typeNoun(type)}`, argument.at)
  }
  return target
}

function findEditor({ name, at }: NodeOf<'call'>, compiler: Compiler): Editor {
  const found = EDITORS.get(name)
  if (found) return found
  const near = nearest(name, EDITORS.keys())
  if (compiler.converters.has(name)) {
    throw new Fault(
      `${name} makes a value; a statement starts with an editor`,
      at,
      `as in set(attributes["key"], ${name}(...))`,
    )
  }
  const instead = MISSING.get(name)
  if (instead) throw new Fault(`${name} is a function of the Collector that is missing here`, at, instead)
  throw new Fault(
    `there is no editor ${name}`,
    at,
    near ? `did you mean ${near}?` : `editors are ${[...EDITORS.keys()].join(', ')}`,
  )
}
