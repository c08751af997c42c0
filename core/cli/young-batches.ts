import { setFlagsFromString } from 'node:v8'

/**
 * V8 learns where a program makes objects that live long, and makes those in the old generation at once. Batches teach it wrong: all
 * of a large one is alive while it is worked on, and dead a moment later; what then lies in the old generation keeps
 * alive what it names, collection after collection, until a whole one finds it. A storm over 100,000 keys cost nearly three times as much.
 */
export function keepBatchesYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
