import { dump } from 'js-yaml'
import type { LoadedConfig } from './load.js'

const WIDTH = 110
const OPTIONS = { noRefs: true, lineWidth: -1 } as const

/** The configuration as YAML for `print-config`: merged, expanded, secrets left out, short lists on one line. */
export function printConfig(loaded: LoadedConfig): string {
  const { service, ...rest } = loaded.redacted() as { service?: { [key: string]: unknown } }
  const { pipelines, ...others } = service ?? {}
  const head = Object.keys(rest).length > 0 ? dump(rest, OPTIONS) : ''
  return `${head}service:\n${block(others, 2)}${pipelines ? `  pipelines:\n${pipelinesOf(pipelines as Pipelines)}` : ''}`
}

type Pipelines = { readonly [id: string]: { readonly [role: string]: readonly unknown[] } }

function pipelinesOf(pipelines: Pipelines): string {
  return Object.entries(pipelines)
    .map(
      ([id, roles]) =>
        `    ${flow(id)}:\n${Object.entries(roles)
          .map(([role, list]) => roleOf(role, list))
          .join('')}`,
    )
    .join('')
}

function roleOf(role: string, list: readonly unknown[]): string {
  const line = flow(list)
  const short = list.length === 1 || list.every(item => typeof item !== 'object')
  if (short && fits(line, 10 + role.length)) return `      ${role}: ${line}\n`
  const items = list.map(item => {
    const [id] = typeof item === 'object' ? Object.keys(item as object) : []
    const unwrapped =
      id === undefined ? flow(item) : `${flow(id)}: ${flow((item as { [id: string]: unknown })[id])}`
    return fits(unwrapped, 10) ? `        - ${unwrapped}\n` : block([item], 8)
  })
  return `      ${role}:\n${items.join('')}`
}

function fits(text: string, before: number): boolean {
  return !text.includes('\n') && !text.includes('\\n') && text.length + before <= WIDTH
}

function flow(value: unknown): string {
  return dump(value, { ...OPTIONS, flowLevel: 0 }).trim()
}

function block(value: object, indent: number): string {
  if (Object.keys(value).length === 0) return ''
  return dump(value, OPTIONS).replace(/^(?=.)/gm, ' '.repeat(indent))
}
