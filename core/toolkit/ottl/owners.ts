import { isDeepStrictEqual } from 'node:util'
import { equalValues } from '../../model/any-value.js'
import { createRecord } from '../../model/create-record.js'
import type { Resource, Scope } from '../../model/resource.js'
import { Draft } from './draft.js'

/** Runs `edit` once for every distinct resource of the drafts, and gives all its drafts the outcome. */
export function editResources(drafts: readonly Draft[], edit: (draft: Draft) => void): void {
  for (const [resource, members] of groupBy(drafts, draft => draft.resource)) {
    const owner = new Draft(createRecord({ id: '', resource }))
    edit(owner)
    if (owner.changed) for (const member of members) member.change({ resource: owner.resource })
  }
}

/** The same for every distinct scope within a resource. */
export function editScopes(drafts: readonly Draft[], edit: (draft: Draft) => void): void {
  for (const [resource, ofResource] of groupBy(drafts, draft => draft.resource)) {
    for (const [scope, members] of groupBy(ofResource, draft => draft.scope)) {
      const owner = new Draft(createRecord({ id: '', resource, scope }))
      edit(owner)
      if (!owner.changed) continue
      for (const member of members) member.change({ resource: owner.resource, scope: owner.scope })
    }
  }
}

/**
 * Statements over records may give each its own resource or scope. Those that are alike become one object again,
 * as exporters send a resource once for all records that share it.
 */
export function reuniteOwners(drafts: readonly Draft[]): void {
  const resources: Resource[] = []
  const scopes: Scope[] = []
  for (const draft of drafts) {
    if (!draft.changed) continue
    const resource = known(resources, draft.resource)
    const scope = known(scopes, draft.scope)
    if (resource !== draft.resource) draft.change({ resource })
    if (scope !== draft.scope) draft.change({ scope })
  }
}

/** Beyond this many the search would cost more than it saves. */
const MAX_KNOWN = 16

function known<T extends Resource | Scope>(seen: T[], owner: T): T {
  const same = seen.find(each => each === owner || alike(each, owner))
  if (same) return same
  if (seen.length < MAX_KNOWN) seen.push(owner)
  return owner
}

function alike(a: Resource | Scope, b: Resource | Scope): boolean {
  return (
    a.schemaUrl === b.schemaUrl &&
    a.droppedAttributesCount === b.droppedAttributesCount &&
    (a as Scope).name === (b as Scope).name &&
    (a as Scope).version === (b as Scope).version &&
    equalValues(a.attributes, b.attributes) &&
    isDeepStrictEqual((a as Resource).entityRefs, (b as Resource).entityRefs)
  )
}

function groupBy<K>(drafts: readonly Draft[], key: (draft: Draft) => K): Map<K, Draft[]> {
  const groups = new Map<K, Draft[]>()
  for (const draft of drafts) {
    const group = groups.get(key(draft))
    if (group) group.push(draft)
    else groups.set(key(draft), [draft])
  }
  return groups
}
