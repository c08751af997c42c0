/** The OpenTelemetry Transformation Language over log records. */
export {
  type Condition,
  type ConditionOptions,
  checkCondition,
  compileCondition,
  type OttlOptions,
} from './conditions.js'
export { OttlError, OttlEvalError, type OttlProblem } from './errors.js'
export { checkPath } from './path-check.js'
export type { Context as OttlContext } from './paths.js'
export {
  checkStatement,
  compileStatements,
  type ErrorMode,
  type StatementGroup,
  type StatementOptions,
  type Statements,
} from './statements.js'
