import { literal } from './nodes.js'

/** Ids of ours for Valerter's names, which may hold spaces and signs. */
export class Ids {
  readonly #byName = new Map<string, string>()
  readonly #taken = new Set<string>()

  /** The same for each call; two names that would have one id get two. */
  of(type: string, name: string): string {
    const key = JSON.stringify([type, name])
    const known = this.#byName.get(key)
    if (known !== undefined) return known
    const base = `${type}/${name.replace(/[\p{Z}\p{C}\p{S}]+/gu, '_')}`
    let id = base
    for (let number = 2; this.#taken.has(id); number++) id = `${base}.${number}`
    this.#taken.add(id)
    this.#byName.set(key, id)
    return id
  }

  /** Of pipelines and exporters: Valerter's names by the ids that do not say them. */
  renamed(): { readonly [id: string]: string } {
    const all = [...this.#byName].map(([key, id]) => {
      const [type, name] = JSON.parse(key) as [string, string]
      return { type, name, id }
    })
    return Object.fromEntries(
      all
        .filter(({ type, name, id }) => type !== 'template' && id !== `${type}/${name}`)
        .map(({ id, name }) => [id, literal(name)]),
    )
  }
}
