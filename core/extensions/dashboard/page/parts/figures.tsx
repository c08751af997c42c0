import { useMemo } from 'preact/hooks'
import type { Summary } from '../../messages.js'
import { data } from '../data.js'
import { fitter } from '../filter.js'
import { filterCount } from '../route.js'
import { useStore } from '../store.js'
import { number, t } from '../text.js'
import { FIGURES } from '../transitions.js'

/** What is active now, and what happened in the time range. */
export function Figures({ summary }: { readonly summary: Summary | undefined }) {
  const total = useStore(data, state => (state.alertsLoaded ? state.activeTotal : undefined))
  const alerts = useStore(data, state => state.alerts)
  const filters = useStore(data, state => state.route.filters)
  const fitting = useMemo(
    () => (filterCount(filters) > 0 ? [...alerts.values()].filter(fitter(filters)).length : undefined),
    [alerts, filters],
  )
  const active = total === undefined ? undefined : (fitting ?? total)
  return (
    <dl class="figures" aria-label={t('figures')}>
      <div class={`figure active ${active ? 'bad' : 'good'}`}>
        <dt>{t('figure.active')}</dt>
        <dd>{active === undefined ? '–' : number(active)}</dd>
      </div>
      {FIGURES.map(name => (
        <div key={name} class={`figure ${name}`} title={t(`figure.${name}.help`)}>
          <dt>{t(`figure.${name}`)}</dt>
          <dd data-figure={name}>{summary ? number(summary.figures[name]) : '–'}</dd>
        </div>
      ))}
    </dl>
  )
}
