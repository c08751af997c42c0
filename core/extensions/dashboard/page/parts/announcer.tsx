import { useEffect, useRef, useState } from 'preact/hooks'
import { data } from '../data.js'
import { useStore } from '../store.js'
import { t } from '../text.js'
import { severityText } from './severity.js'

/** Nobody listens to a storm one by one. */
const TOGETHER_MS = 2_000

/** Tells a screen reader, when it is idle, that alerts began. */
export function Announcer() {
  const begun = useStore(data, state => state.begun)
  const [text, setText] = useState('')
  const waiting = useRef(new Map<string, string>())
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => {
    for (const { id, severity, message, host } of begun)
      waiting.current.set(id, t('announce.one', { severity: severityText(severity), message, host }))
    if (waiting.current.size === 0) return
    timer.current ??= setTimeout(() => {
      const [first = '', ...others] = waiting.current.values()
      timer.current = undefined
      waiting.current = new Map()
      setText(others.length === 0 ? first : t('announce.many', { n: others.length + 1 }))
    }, TOGETHER_MS)
  }, [begun])
  return (
    <p class="sr" role="status" aria-live="polite">
      {text}
    </p>
  )
}
