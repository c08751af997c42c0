/**
 * How often a property is tried. `npm test` tries the same cases each time, so that one commit has one answer;
 * `npm run test:slow` sets TOCSIN_PROPERTY_RUNS, a factor, and takes other cases each time: fast-check prints the seed
 * and path of what fails. `quick`: how often in `npm test`, where a case is dear.
 */
export function runs(count = 100, quick = count): { readonly numRuns: number; readonly seed?: number } {
  return DEEP > 1 ? { numRuns: Math.ceil(count * DEEP) } : { numRuns: quick, seed: 20_261_121 }
}

const DEEP = Number(process.env.TOCSIN_PROPERTY_RUNS ?? 1)
