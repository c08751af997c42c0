import { basename } from 'node:path'
import { type Attributes, NO_RESOURCE, newMap, type Resource } from 'tocsin/component'
import type { FileLogConfig } from './config.js'
import type { TrackedFile } from './tracked-file.js'

/** What all records of a file have. */
export interface FileFields {
  readonly attributes: Attributes
  readonly resource: Resource
  /** With `container`: the same for records of one stream. */
  readonly stdout: Attributes
  readonly stderr: Attributes
}

/** How the kubelet names logs, and the links to them. */
const POD = /\/pods\/(?<ns>[^/_]+)_(?<pod>[^/_]+)_(?<uid>[^/]+)\/(?<container>[^/]+)\/(?<restarts>\d+)\.log/
const LINK = /\/containers\/(?<pod>[^/_]+)_(?<ns>[^/_]+)_(?<container>[^/]+)-(?<id>[0-9a-f]{64})\.log/
const NAMES: readonly (readonly [group: string, attribute: string])[] = [
  ['ns', 'k8s.namespace.name'],
  ['pod', 'k8s.pod.name'],
  ['uid', 'k8s.pod.uid'],
  ['container', 'k8s.container.name'],
  ['restarts', 'k8s.container.restart_count'],
  ['id', 'container.id'],
]

/** Builds them once for each file. */
export class FileFieldsMaker {
  readonly #config: FileLogConfig
  readonly #resource: Resource
  readonly #made = new WeakMap<TrackedFile, FileFields>()

  constructor(config: FileLogConfig) {
    this.#config = config
    this.#resource = resourceOf(Object.entries(config.resource))
  }

  of(file: TrackedFile): FileFields {
    let fields = this.#made.get(file)
    if (!fields) {
      const { attributes, container, resource, include_file_name, include_file_path } = this.#config
      const own = newMap(Object.entries(attributes))
      if (include_file_name) own['log.file.name'] = basename(file.firstPath)
      if (include_file_path) own['log.file.path'] = file.firstPath
      const pod = container?.add_metadata_from_filepath ? podOf([file.firstPath, file.home]) : []
      const of = (stream: string): Attributes =>
        Object.freeze(newMap([...Object.entries(own), ['log.iostream', stream]]))
      fields = {
        attributes: Object.freeze(own),
        resource: pod.length === 0 ? this.#resource : resourceOf([...pod, ...Object.entries(resource)]),
        stdout: of('stdout'),
        stderr: of('stderr'),
      }
      this.#made.set(file, fields)
    }
    return fields
  }
}

function resourceOf(entries: readonly (readonly [string, string])[]): Resource {
  return entries.length === 0 ? NO_RESOURCE : { ...NO_RESOURCE, attributes: newMap([...entries]) }
}

/** The first name that says all comes first: a link says less than what it points to. */
function podOf(paths: readonly string[]): [string, string][] {
  const found = [POD, LINK].flatMap(pattern => paths.map(path => pattern.exec(path)?.groups))
  const groups = found.find(each => each !== undefined)
  return NAMES.flatMap(([group, name]) => {
    const value = groups?.[group]
    return value === undefined ? [] : [[name, value] as [string, string]]
  })
}
