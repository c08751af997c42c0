import type { ComponentContext, Mapper } from 'tocsin/component'

/** Sets an attribute on every record. */
export function myProcessor({ config: { value } }: ComponentContext<{ value: string }>): Mapper {
  return {
    process: records => records.map(record => record.with('attributes["my_processor"]', value)),
  }
}
