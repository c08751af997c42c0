/** Keeps the process while a task waits for clocks alone, whose timers do not. */
export async function keepAlive<T>(task: () => Promise<T>): Promise<T> {
  const alive = setInterval(() => undefined, 60_000)
  try {
    return await task()
  } finally {
    clearInterval(alive)
  }
}
