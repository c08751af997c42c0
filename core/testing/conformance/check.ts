/** One check of a conformance suite. Run it with any test runner: `for (const { name, run } of suite) test(name, run)`. */
export interface Check {
  readonly name: string
  run(): Promise<void>
}
