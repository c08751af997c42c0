import type { Clock } from '../component/index.js'

/** What broke down starts again after this time. */
export const RESTART_MS = 5_000

/** Told of a component that broke down by itself, and of its next start. */
export interface Restarts {
  readonly clock: Clock
  down(error: unknown): void
  starting(): void
  up(): void
}
