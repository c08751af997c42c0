import { relative } from 'node:path'
import { variablesIn } from 'tocsin/template'
import {
  type ConfigEnvironment,
  type FormatCheckers,
  locate,
  type MapNode,
  problemAt,
  readDocument,
  textSource,
} from '../../../core/config/index.js'
import type { Report } from './report.js'
import type { ValerterConfig } from './types.js'

const VARIABLES = [
  'title',
  'body',
  'rule_name',
  'vl_source',
  'log_timestamp',
  'log_timestamp_formatted',
  'accent_color',
  'log',
]

/** Looks at the templates of notifiers, and reads those that stand in files. */
export async function readBodies(
  { notifiers }: ValerterConfig,
  root: MapNode,
  report: Report,
  environment: ConfigEnvironment,
  formats: FormatCheckers,
): Promise<ReadonlyMap<string, string>> {
  const bodies = new Map<string, string>()
  for (const [name, notifier] of Object.entries(notifiers)) {
    const path = ['notifiers', name]
    for (const field of ['subject_template', 'body_template']) {
      const text = notifier[field]
      for (const { name: variable, offset } of typeof text === 'string' ? unknownVariables(text) : [])
        report.warning([...path, field], ...unknownVariable(variable), offset)
    }
    if (notifier.body_template_file === undefined) continue
    const text = await readBody(notifier.body_template_file, [...path, 'body_template_file'])
    if (text !== undefined) bodies.set(name, text)
  }
  return bodies

  async function readBody(file: string, path: readonly string[]): Promise<string | undefined> {
    const { place } = locate(root, path)
    const { folder, name } = root.place.source
    const absolute = file.startsWith('/') ? file : `${folder}/${file}`
    const read = await readDocument(absolute, environment)
    if ('reason' in read) {
      report.problems.push(problemAt(place, path, `${file}: ${read.reason}`, read.fix))
      return undefined
    }
    // Shown as the other files are: seen from where the command was given.
    const shown = file.startsWith('/') ? file : name.replace(/[^/]*$/, relative(folder, absolute))
    const source = textSource(shown, folder, read.text)
    const found = formats.jinja(read.text)
    for (const { message, fix, offset = 0 } of found ? [found].flat() : [])
      report.problems.push(problemAt({ source, offset }, path, message, fix))
    for (const { name: variable, offset } of unknownVariables(read.text))
      report.problems.push(problemAt({ source, offset }, path, ...unknownVariable(variable), 'warning'))
    return read.text
  }
}

function unknownVariables(text: string): ReturnType<typeof variablesIn> {
  return variablesIn(text).filter(({ name }) => !VARIABLES.includes(name))
}

function unknownVariable(name: string): [message: string, fix: string] {
  return [
    `"${name}" is no variable of a notifier's template`,
    `fields of the log are under log: log.${name}; known: ${VARIABLES.join(', ')}`,
  ]
}
