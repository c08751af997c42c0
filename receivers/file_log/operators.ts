import type { CheckProblem } from 'tocsin/component'
import { conditionOf } from './operator-expr.js'
import { type Operator, type Step, stepsOf, yaml } from './operator-steps.js'

/**
 * `operators` of the Collector's filelog are no key here: what they do is a matter of processors. The answer is one
 * problem with the lines that do the same, to paste.
 */
export function operatorProblems(operators: readonly unknown[]): CheckProblem[] {
  if (operators.length === 0) return []
  const lines = translation(operators.filter(isOperator))
  return [
    {
      path: ['operators'],
      message: 'operators are not here: processors do what they do',
      fix: 'put these lines in their place',
      paste: lines.join('\n'),
    },
  ]
}

function isOperator(value: unknown): value is Operator {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface Processor {
  readonly type: 'parser' | 'transform' | 'filter'
  readonly lines: string[]
}

function translation(operators: readonly Operator[]): string[] {
  const routes = routesOf(operators)
  const steps = operators.flatMap(operator => {
    if (operator.type === 'router') return []
    const conditions = [routes.get(String(operator.id ?? operator.type)), operator.if].flatMap(text =>
      text === undefined ? [] : [String(text)],
    )
    const found = conditions.map(conditionOf)
    const unread = conditions.find((_, index) => found[index] === undefined)
    const where = found.map(each => (found.length > 1 ? `(${each})` : each)).join(' and ')
    if (unread !== undefined) return [untold(operator, unread), ...stepsOf(operator, undefined)]
    return stepsOf(operator, where === '' ? undefined : where)
  })
  return [...receiverLines(steps), ...processorLines(steps), ...noteLines(steps)]
}

function untold({ type }: Operator, condition: string): Step {
  return { kind: 'note', text: `${String(type)} was only for ${condition}: add it as "where", in OTTL` }
}

/** Which condition leads to an operator that a router names. */
function routesOf(operators: readonly Operator[]): ReadonlyMap<string, string> {
  const routes = new Map<string, string>()
  for (const { type, routes: list } of operators) {
    if (type !== 'router' || !Array.isArray(list)) continue
    for (const { output, expr } of list.filter(isOperator)) {
      if (expr !== undefined) routes.set(String(output), String(expr))
    }
  }
  return routes
}

function receiverLines(steps: readonly Step[]): string[] {
  const lines = steps.flatMap(step => (step.kind === 'receiver' ? step.lines : []))
  return lines.length === 0 ? [] : ['# in this receiver:', ...lines]
}

function processorLines(steps: readonly Step[]): string[] {
  const processors = processorsOf(steps)
  if (processors.length === 0) return []
  const names = processors.map(({ type }, index) => `${type}/operators_${index + 1}`)
  return [
    'processors:',
    ...processors.flatMap(({ lines }, index) => [`  ${names[index]}:`, ...lines.map(line => `    ${line}`)]),
    '# first in the processors of the pipelines of this receiver:',
    `# processors: [${names.join(', ')}]`,
  ]
}

/** Statements that follow each other share a transform. */
function processorsOf(steps: readonly Step[]): Processor[] {
  const processors: Processor[] = []
  for (const step of steps) {
    const last = processors.at(-1)
    if (step.kind === 'parser') processors.push({ type: 'parser', lines: [...step.lines] })
    else if (step.kind === 'drop') {
      const line = `  - ${yaml(step.condition)}`
      if (last?.type === 'filter') last.lines.push(line)
      else processors.push({ type: 'filter', lines: ['error_mode: ignore', 'log_conditions:', line] })
    } else if (step.kind === 'statement') {
      const line = `  - ${yaml(step.text)}`
      if (last?.type === 'transform') last.lines.push(line)
      else processors.push({ type: 'transform', lines: ['log_statements:', line] })
    }
  }
  return processors
}

function noteLines(steps: readonly Step[]): string[] {
  return steps.flatMap(step => (step.kind === 'note' ? [`# ${step.text.replace(/\s+/g, ' ')}`] : []))
}
