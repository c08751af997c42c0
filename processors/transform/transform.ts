import type { ComponentContext, Mapper } from 'tocsin/component'
import { compileStatements } from 'tocsin/ottl'
import type { TransformConfig } from './config.js'

/** Changes records by OTTL statements. Records that no statement changed pass as they are. */
export function createTransform(context: ComponentContext<TransformConfig>): Mapper {
  const { config } = context
  const labels = { processor: context.id, pipeline: context.pipeline ?? '' }
  const errors = context.meter.createCounter('tocsin_transform_errors', {
    description: 'Statements and conditions that failed for a record.',
  })
  const log = (error: Error, expression: string): void =>
    context.oncePerMinute.warn('A transform statement failed for a record.', {
      expression,
      error: error.message,
    })
  let failed = 0
  const statements = compileStatements(
    config.log_statements.map(entry => {
      if (typeof entry === 'string') return entry
      const { error_mode, ...group } = entry
      return { ...group, ...(error_mode && { errorMode: error_mode }) }
    }),
    {
      errorMode: config.error_mode,
      now: () => context.clock.now(),
      onError: (error, text, mode) => {
        failed++
        if (mode === 'ignore') log(error, text)
      },
    },
  )
  return {
    process: records => {
      failed = 0
      try {
        return statements.run(records)
      } finally {
        if (failed > 0) errors.add(failed, labels)
      }
    },
  }
}
