export interface ComponentId {
  readonly type: string
  readonly name?: string
}

/** Reads `type` or `type/name`; answers what is wrong otherwise. */
export function parseId(id: string): ComponentId | { readonly message: string; readonly fix: string } {
  const slash = id.indexOf('/')
  const type = slash < 0 ? id : id.slice(0, slash)
  const name = slash < 0 ? undefined : id.slice(slash + 1)
  if (type === '')
    return { message: `"${id}" has no type`, fix: 'an id is type or type/name, such as file_log/app' }
  if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(type)) {
    const fix = 'a type has letters, digits and _, and starts with a letter'
    return {
      message: `"${id}" is not a valid id`,
      fix: `${fix}; a name comes after a slash, such as file_log/app`,
    }
  }
  if (name === '')
    return { message: `"${id}" has no name after the slash`, fix: `write "${type}" or "${type}/name"` }
  if (name !== undefined && (!/^[^\p{Z}\p{C}\p{S}]+$/u.test(name) || name.length > 1024))
    return {
      message: `"${id}" is not a valid id`,
      fix: 'a name has no spaces, symbols or control characters',
    }
  return { type, ...(name !== undefined && { name }) }
}
