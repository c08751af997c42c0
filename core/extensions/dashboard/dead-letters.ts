import type { DeadLetterBox, DeadLetterSummary } from 'tocsin/component'
import type { DeadLetterPage } from './messages.js'

const NEWEST = 100
/** The box holds no more letters than this. */
const MAX_LETTERS = 10_000
const LOOK = 500

/** The newest letters; they come oldest first. */
export async function deadLetterPage(box: DeadLetterBox | undefined): Promise<DeadLetterPage> {
  let [letters, records] = [0, 0]
  let newest: readonly DeadLetterSummary[] = []
  let after: string | undefined
  while (box && letters < MAX_LETTERS) {
    const page = await box.list({ limit: LOOK, ...(after !== undefined && { after }) })
    letters += page.length
    for (const { recordCount } of page) records += recordCount
    newest = [...newest, ...page].slice(-NEWEST)
    after = page.at(-1)?.id
    if (page.length < LOOK) break
  }
  return {
    kept: box !== undefined,
    letters,
    records,
    newest: newest
      .map(({ id, at, pipeline, component, recordCount, reason, detail, retryRequested }) => ({
        ...{ id, pipeline, component, reason, detail, retryRequested },
        at: Number(at / 1_000_000n),
        records: recordCount,
      }))
      .reverse(),
  }
}
