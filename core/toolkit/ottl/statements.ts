import { NO_ATTRIBUTES } from '../../model/any-value.js'
import type { Records } from '../../model/log-record.js'
import { Compiler, type Rules, type Test } from './compile.js'
import type { OttlOptions } from './conditions.js'
import { conditionContext, lowest, statementContext } from './context.js'
import { Draft } from './draft.js'
import { explained, OttlEvalError, type OttlProblem, problemOf } from './errors.js'
import { convertersWith } from './functions/index.js'
import { editResources, editScopes, reuniteOwners } from './owners.js'
import { parseCondition, parseStatement } from './parse.js'
import type { Context } from './paths.js'
import { compileStatement, type Statement } from './statement.js'

/** `propagate`: an error stops everything; else the statement is skipped for this record. */
export type ErrorMode = 'ignore' | 'silent' | 'propagate'

/** Statements that run together. Any of the conditions lets them run; without conditions they always do. */
export interface StatementGroup {
  /** By default the highest that has all paths of the group. */
  readonly context?: Context
  readonly conditions?: readonly string[]
  readonly statements: readonly string[]
  /** By default that of the options. */
  readonly errorMode?: ErrorMode
}

/** How statements are compiled. */
export interface StatementOptions extends OttlOptions {
  readonly errorMode: ErrorMode
  /** Called for every error that does not stop everything. */
  onError(error: OttlEvalError, text: string, mode: 'ignore' | 'silent'): void
}

/** Compiled statements over a batch. */
export interface Statements {
  /**
   * The records as the statements leave them; those that nothing changed are the same objects. Throws
   * `OttlEvalError` with error mode `propagate`; nothing is changed then.
   */
  run(records: Records): Records
}

/**
 * Compiles statements: single ones, which share a cache, and groups with a cache of their own. Those of context
 * `resource` and `scope` run once for all records that share one. Throws `OttlError`.
 */
export function compileStatements(
  groups: readonly (string | StatementGroup)[],
  options: StatementOptions,
): Statements {
  const stages = stagesOf(groups, options)
  return {
    run: records => {
      const drafts = records.map(record => new Draft(record))
      for (const stage of stages) runStage(stage, drafts, options)
      reuniteOwners(drafts)
      return drafts.map(draft => draft.finish())
    },
  }
}

/** Why the text is no statement for the context; undefined when it is one. */
export function checkStatement(text: string, context?: Context): OttlProblem | undefined {
  return problemOf(() => statementOf(text, context, { now: () => 0n }))
}

interface Stage {
  readonly context: Context
  readonly tests: readonly { readonly text: string; readonly test: Test }[]
  readonly statements: Statement[]
  readonly mode: ErrorMode
  readonly freshCache: boolean
}

function stagesOf(groups: readonly (string | StatementGroup)[], options: StatementOptions): Stage[] {
  const stages: Stage[] = []
  for (const group of groups) {
    if (typeof group !== 'string') {
      stages.push(groupStage(group, options))
      continue
    }
    const { context, statement } = statementOf(group, undefined, options)
    const last = stages.at(-1)
    if (last && !last.freshCache && last.context === context) last.statements.push(statement)
    else
      stages.push({ context, tests: [], statements: [statement], mode: options.errorMode, freshCache: false })
  }
  return stages
}

function groupStage(group: StatementGroup, options: StatementOptions): Stage {
  const conditions = group.conditions ?? []
  const context =
    group.context ??
    lowest([
      ...group.statements.map(text => explained(text, () => statementContext(parseStatement(text)))),
      ...conditions.map(text => explained(text, () => conditionContext(parseCondition(text)))),
    ])
  return {
    context,
    tests: conditions.map(text => ({ text, test: testOf(text, context, options) })),
    statements: group.statements.map(text => statementOf(text, context, options).statement),
    mode: group.errorMode ?? options.errorMode,
    freshCache: true,
  }
}

function statementOf(
  text: string,
  given: Context | undefined,
  options: OttlOptions,
): { context: Context; statement: Statement } {
  return explained(text, () => {
    const node = parseStatement(text)
    const context = given ?? statementContext(node)
    return { context, statement: compileStatement(text, node, rulesFor(text, context, options)) }
  })
}

function testOf(text: string, context: Context, options: OttlOptions): Test {
  return explained(text, () => new Compiler(rulesFor(text, context, options)).condition(parseCondition(text)))
}

function rulesFor(text: string, context: Context, { now }: OttlOptions): Rules {
  return { text, context, cache: true, converters: convertersWith(now) }
}

function runStage(stage: Stage, drafts: readonly Draft[], options: StatementOptions): void {
  const edit = (draft: Draft): void => {
    if (stage.freshCache) draft.cache = NO_ATTRIBUTES
    if (wanted(stage, draft, options)) {
      for (const statement of stage.statements) {
        guarded(statement.text, stage.mode, options, () => statement.run(draft))
      }
    }
  }
  if (stage.context === 'resource') editResources(drafts, edit)
  else if (stage.context === 'scope') editScopes(drafts, edit)
  else drafts.forEach(edit)
}

function wanted({ tests, mode }: Stage, draft: Draft, options: StatementOptions): boolean {
  if (tests.length === 0) return true
  return tests.some(({ text, test }) => guarded(text, mode, options, () => test(draft)) === true)
}

function guarded<T>(text: string, mode: ErrorMode, options: StatementOptions, run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (mode === 'propagate' || !(error instanceof OttlEvalError)) throw error
    options.onError(error, text, mode)
    return undefined
  }
}
