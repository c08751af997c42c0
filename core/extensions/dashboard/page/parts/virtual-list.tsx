import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { t } from '../text.js'

/** Rows above and below what is seen, so that scrolling shows no gap. */
const SPARE = 8
/** Browsers draw nothing taller; beyond it the scroll bar stands for several rows a pixel. */
const MAX_PIXELS = 8_000_000

const MAX_DRAWN = 500

interface Props<T> {
  readonly items: readonly T[]
  readonly label: string
  readonly keyOf: (item: T) => string
  readonly row: (item: T) => ComponentChildren
  /** Height of each row in pixels, on wide and on narrow screens. */
  readonly heights: readonly [wide: number, narrow: number]
  readonly onOpen: (item: T) => void
}

/** Draws only the rows that are seen. Arrows, Page Up and Down, Home and End move, Enter opens. */
export function VirtualList<T>({ items, label, keyOf, row, heights, onOpen }: Props<T>) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const [focused, setFocused] = useState<string>()
  const rows = useRef({ row, byKey: new Map<string, { item: T; vnode: ComponentChildren }>() })
  const [narrow] = useNarrow()
  const height = narrow ? heights[1] : heights[0]
  const total = Math.min(items.length * height, MAX_PIXELS)
  const scale = total === 0 ? 1 : (items.length * height) / total

  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [])

  const at = focused === undefined ? -1 : items.findIndex(item => keyOf(item) === focused)
  const top = view.top * scale
  const first = Math.max(0, Math.min(items.length - 1, Math.floor(top / height)) - SPARE)
  const last = Math.min(items.length, Math.ceil((top + view.height) / height) + SPARE)
  const indices = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index)
  // The row that has the focus stays, wherever one scrolls to.
  if (at >= 0 && (at < first || at >= last)) indices.push(at)

  const wantsFocus = useRef(false)
  // At once: the next key may come before the browser has painted.
  useLayoutEffect(() => {
    if (!wantsFocus.current) return
    wantsFocus.current = false
    box.current?.querySelector<HTMLElement>('[data-focused]')?.focus({ preventScroll: true })
  })

  const move = (to: number): void => {
    const next = Math.max(0, Math.min(items.length - 1, to))
    const item = items[next]
    const element = box.current
    if (item === undefined || !element) return
    setFocused(keyOf(item))
    wantsFocus.current = true
    const [from, until] = [next * height, (next + 1) * height]
    if (from < element.scrollTop * scale) element.scrollTop = from / scale
    else if (until > element.scrollTop * scale + element.clientHeight)
      element.scrollTop = (until - element.clientHeight) / scale
  }
  const page = Math.max(1, Math.floor(view.height / height) - 1)
  const keys: { readonly [key: string]: () => number } = {
    ArrowDown: () => at + 1,
    ArrowUp: () => at - 1,
    PageDown: () => at + page,
    PageUp: () => at - page,
    Home: () => 0,
    End: () => items.length - 1,
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it moves the focus among its rows
    <div
      ref={box}
      class="virtual"
      tabIndex={at < 0 ? 0 : -1}
      onScroll={event =>
        setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })
      }
      onKeyDown={event => {
        const to = keys[event.key]
        const item = items[at]
        if (to && !event.altKey && !event.ctrlKey && !event.metaKey) {
          event.preventDefault()
          move(to())
        } else if (event.key === 'Enter' && item !== undefined && event.target === event.currentTarget)
          onOpen(item)
      }}
    >
      <ul aria-label={label} aria-describedby="list-keys" style={{ height: `${total}px` }}>
        {indices.map(index => {
          const item = items[index] as T
          const key = keyOf(item)
          return (
            <li
              key={key}
              class="virtual-row"
              aria-setsize={items.length}
              aria-posinset={index + 1}
              data-focused={index === at ? '' : undefined}
              tabIndex={index === at ? 0 : -1}
              style={{ height: `${height}px`, transform: `translateY(${place(index)}px)` }}
              onFocus={() => setFocused(key)}
              onKeyDown={event => {
                if (event.key === 'Enter' && event.target === event.currentTarget) onOpen(item)
              }}
            >
              {drawn(key, item)}
            </li>
          )
        })}
      </ul>
      <span id="list-keys" class="sr">
        {t('list.keys')}
      </span>
    </div>
  )

  /** A row that is the same is not drawn again while one scrolls. */
  function drawn(key: string, item: T): ComponentChildren {
    if (rows.current.row !== row) rows.current = { row, byKey: new Map() }
    const { byKey } = rows.current
    if (byKey.size > MAX_DRAWN) byKey.clear()
    const known = byKey.get(key)
    if (known?.item === item) return known.vnode
    const vnode = row(item)
    byKey.set(key, { item, vnode })
    return vnode
  }

  /** Where a row is drawn: at its place, or near what is seen where the list is too tall for its place. */
  function place(index: number): number {
    return scale === 1 ? index * height : view.top + (index * height - top)
  }
}

function useNarrow(): [boolean] {
  const query = useRef(matchMedia('(max-width: 720px)'))
  const [narrow, setNarrow] = useState(query.current.matches)
  useEffect(() => {
    const media = query.current
    const changed = () => setNarrow(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [])
  return [narrow]
}
