import { errorText, type FileProblem } from '../component/index.js'
import type { Defined } from './components.js'
import type { Findings } from './findings.js'
import { locate } from './node.js'
import type { DefinedByKind } from './pipelines.js'
import type { ServiceConfig } from './types.js'

type CheckFiles = (config: unknown, baseDir: string) => Promise<readonly FileProblem[]>

/** Asks the components that would run about the files that their configuration names. */
export async function checkFiles(
  defined: DefinedByKind,
  { extensions, pipelines }: ServiceConfig['service'],
  baseDir: string,
  findings: Findings,
): Promise<void> {
  const used = new Set([
    ...extensions,
    ...Object.values(pipelines).flatMap(({ receivers, processors, exporters }) => [
      ...receivers,
      ...processors,
      ...exporters,
    ]),
  ])
  for (const components of Object.values(defined)) {
    for (const one of components.values()) if (used.has(one.id)) await checkFilesOf(one, baseDir, findings)
  }
}

async function checkFilesOf(one: Defined, baseDir: string, findings: Findings): Promise<void> {
  const check = one.component?.factory.checkFiles as CheckFiles | undefined
  if (!check) return
  const path = [one.section, one.id]
  try {
    for (const { file, line, ...problem } of await check(one.component?.config, baseDir)) {
      if (file !== undefined) {
        const place = { file, ...(line !== undefined && { line }) }
        findings.problems.push({ severity: 'error', ...problem, ...place })
        continue
      }
      const at = locate(one.node, problem.path, one.key)
      const where = [...path, ...at.written]
      if (problem.severity === 'warning') findings.warning(at.place, where, problem.message, problem.fix)
      else findings.error(at.place, where, problem.message, problem.fix)
    }
  } catch (error) {
    // Third-party code may throw.
    const message = `checking the files of this configuration failed: ${errorText(error)}`
    findings.error(one.key, path, message, 'report this to the author of the component')
  }
}
