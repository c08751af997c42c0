import type { Mapper } from 'tocsin/component'

export function forward(): Mapper {
  return { process: records => records }
}
