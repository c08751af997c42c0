import { SEVERITY } from '../../model/severity.js'

/** OTTL's enums for logs: `SEVERITY_NUMBER_UNSPECIFIED`, `SEVERITY_NUMBER_TRACE` to `SEVERITY_NUMBER_FATAL4`. */
export const ENUMS: ReadonlyMap<string, bigint> = new Map(
  Object.entries(SEVERITY).flatMap(([name, number]): [string, bigint][] =>
    number === 0
      ? [[`SEVERITY_NUMBER_${name}`, 0n]]
      : [0, 1, 2, 3].map(step => [
          `SEVERITY_NUMBER_${name}${step === 0 ? '' : step + 1}`,
          BigInt(number + step),
        ]),
  ),
)
