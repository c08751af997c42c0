/** Tasks that run one after another. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting: Promise<unknown> | undefined

  take<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** Who asks while such a task still waits for its turn shares its answer. */
  share<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting ??= this.take(() => {
      this.#waiting = undefined
      return task()
    })
    return this.#waiting as Promise<T>
  }
}
