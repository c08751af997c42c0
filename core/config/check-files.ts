import { errorText, type FileProblem, type LintContext } from '../component/index.js'
import type { Defined } from './components.js'
import type { Findings } from './findings.js'
import { locate } from './node.js'
import type { DefinedByKind } from './pipelines.js'
import type { PipelineConfig, ServiceConfig } from './types.js'

type Service = ServiceConfig['service']
type Ask = (factory: {
  readonly checkFiles?: (config: unknown, baseDir: string) => Promise<readonly FileProblem[]>
  readonly lint?: (config: unknown, context: LintContext) => Promise<readonly FileProblem[]>
}) => Promise<readonly FileProblem[]> | undefined

/** Asks the components that would run about the files that their configuration names. */
export async function checkFiles(
  defined: DefinedByKind,
  service: Service,
  baseDir: string,
  findings: Findings,
): Promise<void> {
  for (const one of inUse(defined, service)) {
    const config = one.component?.config
    await askOne(one, factory => factory.checkFiles?.(config, baseDir), findings)
  }
}

/** Asks them what is valid and yet hardly meant. */
export async function lintComponents(
  defined: DefinedByKind,
  service: Service,
  { baseDir, lines }: Pick<LintContext, 'baseDir' | 'lines'>,
  findings: Findings,
): Promise<void> {
  for (const one of inUse(defined, service)) {
    const pipelines = Object.entries(service.pipelines)
      .filter(([, pipeline]) =>
        [...pipeline.receivers, ...pipeline.processors, ...pipeline.exporters].includes(one.id),
      )
      .flatMap(([id, pipeline]) => [[id, pipeline] as const, ...passedOn(pipeline, service)])
      .map(([id, { exporters }]) => ({ id, exporters: exporters.flatMap(name => exporterOf(name, defined)) }))
    const context: LintContext = { baseDir, pipelines, ...(lines && { lines }) }
    await askOne(one, factory => factory.lint?.(one.component?.config, context), findings)
  }
}

/** The pipelines that a connector feeds, as long as nothing changes the records there. */
function passedOn({ exporters }: PipelineConfig, service: Service): (readonly [string, PipelineConfig])[] {
  const found = new Map<string, PipelineConfig>()
  let from = exporters
  for (;;) {
    const next = Object.entries(service.pipelines).filter(
      ([id, { receivers, processors }]) =>
        !found.has(id) && processors.length === 0 && receivers.some(name => from.includes(name)),
    )
    if (next.length === 0) return [...found]
    for (const [id, pipeline] of next) found.set(id, pipeline)
    from = next.flatMap(([, pipeline]) => pipeline.exporters)
  }
}

function* inUse(defined: DefinedByKind, { extensions, pipelines }: Service): Generator<Defined> {
  const used = new Set([
    ...extensions,
    ...Object.values(pipelines).flatMap(({ receivers, processors, exporters }) => [
      ...receivers,
      ...processors,
      ...exporters,
    ]),
  ])
  for (const components of Object.values(defined))
    for (const one of components.values()) if (used.has(one.id)) yield one
}

/** None for a connector. */
function exporterOf(id: string, defined: DefinedByKind): LintContext['pipelines'][0]['exporters'] {
  const component = defined.exporter.get(id)?.component
  if (!component) return []
  const { notifying = false } = component.factory as { readonly notifying?: boolean }
  const { condition } = component.config as { readonly condition?: string }
  return [{ id, notifying, ...(condition !== undefined && { condition }) }]
}

async function askOne(one: Defined, ask: Ask, findings: Findings): Promise<void> {
  const { component } = one
  if (!component) return
  const path = [one.section, one.id]
  try {
    for (const { file, line, ...problem } of (await ask(component.factory as Parameters<Ask>[0])) ?? []) {
      if (file !== undefined) {
        const place = { file, ...(line !== undefined && { line }) }
        findings.problems.push({ severity: 'error', ...problem, ...place })
        continue
      }
      const at = locate(one.node, problem.path, one.key)
      const where = [...path, ...at.written]
      const { message, fix, code } = problem
      if (problem.severity === 'warning') findings.warning(at.place, where, message, fix, code)
      else findings.error(at.place, where, message, fix)
    }
  } catch (error) {
    // Third-party code may throw.
    const message = `checking the files of this configuration failed: ${errorText(error)}`
    findings.error(one.key, path, message, 'report this to the author of the component')
  }
}
