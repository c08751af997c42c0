import { useEffect, useRef, useState } from 'preact/hooks'
import { data } from '../data.js'
import { filterCount, LISTS, NO_FILTERS, RANGES, rangeOf, toggled } from '../route.js'
import { useStore } from '../store.js'
import { longSpan, moment, t } from '../text.js'
import { setFilters } from './go.js'
import { Icon } from './icon.js'
import { severityText } from './severity.js'

/** Text and time range, and the filters in force. */
export function FilterBar({ pipelines }: { readonly pipelines: readonly string[] }) {
  const filters = useStore(data, state => state.route.filters)
  const now = useStore(data, state => Math.floor(state.now / 60_000) * 60_000)
  const [text, setText] = useState(filters.text)
  const written = useRef(filters.text)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  // The text of the URL, when it was not written here.
  useEffect(() => {
    if (filters.text !== written.current) setText(filters.text)
    written.current = filters.text
  }, [filters.text])
  const isDrawn = filters.range.includes('-')
  const { from, to } = rangeOf(filters.range, now)
  return (
    <search class="filters">
      <label class="find">
        <Icon name="search" />
        <input
          type="search"
          value={text}
          placeholder={t('filter.text')}
          aria-label={t('filter.text')}
          onInput={event => {
            const { value } = event.currentTarget
            setText(value)
            clearTimeout(timer.current)
            timer.current = setTimeout(() => {
              written.current = value.trim()
              setFilters({ text: value.trim() })
            }, 200)
          }}
        />
      </label>
      {pipelines.length > 1 && (
        <select
          aria-label={t('filter.pipeline')}
          value={filters.pipeline[0] ?? ''}
          onChange={event => {
            const { value } = event.currentTarget
            setFilters({ pipeline: value === '' ? [] : [value] })
          }}
        >
          <option value="">{t('filter.all_pipelines')}</option>
          {pipelines.map(id => (
            <option key={id}>{id}</option>
          ))}
        </select>
      )}
      <select
        aria-label={t('filter.range')}
        value={filters.range}
        onChange={event => setFilters({ range: event.currentTarget.value })}
      >
        {RANGES.map(range => (
          <option key={range} value={range}>
            {t('filter.last', { span: longSpan(range) })}
          </option>
        ))}
        {!(RANGES as readonly string[]).includes(filters.range) && (
          <option value={filters.range}>
            {isDrawn
              ? `${moment(from, now)} – ${moment(to, now)}`
              : t('filter.last', { span: longSpan(filters.range) })}
          </option>
        )}
      </select>
      <ul class="chips" aria-label={t('filter.in_force')}>
        {LISTS.flatMap(name =>
          filters[name].map(value => (
            <li key={`${name} ${value}`}>
              <button type="button" class="chip on" onClick={() => setFilters(toggled(filters, name, value))}>
                {name === 'severity' ? severityText(value) : value || t('none')}{' '}
                <span class="sr">{t('filter.remove', { name: t(`filter.${name}`) })}</span>
                <Icon name="cross" />
              </button>
            </li>
          )),
        )}
        {(filterCount(filters) > 1 || isDrawn) && (
          <li>
            <button
              type="button"
              class="chip"
              onClick={() => setFilters({ ...NO_FILTERS, state: filters.state, sort: filters.sort })}
            >
              {t('filter.clear')}
            </button>
          </li>
        )}
      </ul>
    </search>
  )
}
