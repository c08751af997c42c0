/** One thing a component must do. Any test runner can loop over them: `for (const c of checks) it(c.name, c.run)`. */
export interface ConformanceCheck {
  readonly name: string
  /** Rejects with an AssertionError that says what differs. */
  readonly run: () => Promise<void>
}
