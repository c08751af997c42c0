import { TocsinError } from '../../component/errors.js'

export interface Place {
  /** Characters from the start of the template. */
  readonly offset: number
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/**
 * A template that cannot be used (`invalid_template`) or a view that it cannot be rendered with
 * (`template_failed`: a value of the wrong kind, a text without end).
 */
export class TemplateError extends TocsinError {
  override readonly name = 'TemplateError'
  readonly offset: number | undefined
  readonly line: number | undefined
  readonly column: number | undefined

  constructor(
    code: 'invalid_template' | 'template_failed',
    /** What is wrong, without its place. */
    readonly problem: string,
    /** How to write it. */
    readonly fix?: string,
    place?: Place,
  ) {
    const where = place && (place.offset > 0 || place.line > 1) ? ` at ${place.line}:${place.column}` : ''
    super(code, `${problem}${where}${fix ? ` (${fix})` : ''}`, false)
    this.offset = place?.offset
    this.line = place?.line
    this.column = place?.column
  }
}

export function invalid(source: string, offset: number, problem: string, fix?: string): TemplateError {
  return new TemplateError('invalid_template', problem, fix, placeAt(source, offset))
}

export function failed(problem: string): TemplateError {
  return new TemplateError('template_failed', problem)
}

export function placeAt(source: string, offset: number): Place {
  const before = source.slice(0, offset).split('\n')
  return { offset, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** The offset of a place as Handlebars gives it: lines from 1, columns from 0. */
export function offsetOf(source: string, at: { readonly line: number; readonly column: number }): number {
  let start = 0
  for (let line = 1; line < at.line; line++) start = source.indexOf('\n', start) + 1
  return start + at.column
}
