import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { TRANSITIONS, type Summary, type Transition } from '../../messages.js'
import { moment, number, t } from '../text.js'

const HEIGHT = 150
const COLORS: { readonly [transition in Transition]: string } = {
  alert: '--critical',
  recovery: '--good',
  alert_accumulating: '--warning',
  alert_duplicate: '--faint',
}

interface Props {
  readonly summary: Summary
  readonly now: number
  /** A time range was drawn. */
  readonly onRange: (from: number, to: number) => void
}

/** Transitions over time: alerts and recoveries as bars, what is not told to anybody as lines. */
export function Timeline({ summary, now, onRange }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const [hidden, setHidden] = useState<ReadonlySet<Transition>>(new Set())
  const [theme, setTheme] = useState(0)
  const callback = useRef(onRange)
  callback.current = onRange

  useEffect(() => {
    const changed = () => setTheme(n => n + 1)
    const media = matchMedia('(prefers-color-scheme: dark)')
    addEventListener('themechange', changed)
    media.addEventListener('change', changed)
    return () => {
      removeEventListener('themechange', changed)
      media.removeEventListener('change', changed)
    }
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew for each theme
  useEffect(() => {
    const element = box.current as HTMLDivElement
    const made = new uPlot(
      options(element.clientWidth, hidden, (from, to) => callback.current(from, to)),
      dataOf(summary),
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [theme, hidden])

  useEffect(() => plot.current?.setData(dataOf(summary)), [summary])

  const { totals, timeline } = summary
  const said = TRANSITIONS.map(name => `${t(`transition.${name}`)} ${number(totals[name])}`).join(', ')
  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <div class="panel-head">
        <h2 id="timeline-title">{t('timeline.title')}</h2>
        <div class="legend" role="group" aria-label={t('timeline.legend')}>
          {TRANSITIONS.map(name => (
            <button
              key={name}
              type="button"
              class={`chip ${name}`}
              aria-pressed={!hidden.has(name)}
              onClick={() => {
                const next = new Set(hidden)
                if (!next.delete(name)) next.add(name)
                setHidden(next)
              }}
            >
              {t(`transition.${name}`)}
            </button>
          ))}
        </div>
      </div>
      <div ref={box} class="plot" role="img" aria-label={`${t('timeline.title')}: ${said}`} />
      <details class="as-table">
        <summary>{t('timeline.table')}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={t('timeline.table')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('column.time')}</th>
                {TRANSITIONS.map(name => (
                  <th key={name} scope="col" class="number">
                    {t(`transition.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {timeline.counts.alert.map((_, index) => {
                const at = timeline.from + index * timeline.stepMs
                const counts = TRANSITIONS.map(name => timeline.counts[name][index] ?? 0)
                if (counts.every(count => count === 0)) return null
                return (
                  <tr key={at}>
                    <th scope="row">{moment(at, now)}</th>
                    {counts.map((count, column) => (
                      <td key={TRANSITIONS[column]} class="number">
                        {number(count)}
                      </td>
                    ))}
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  )
}

function dataOf({ timeline: { from, stepMs, counts } }: Summary): uPlot.AlignedData {
  const times = counts.alert.map((_, index) => (from + index * stepMs) / 1_000)
  return [
    times,
    counts.alert as number[],
    counts.recovery.map(count => -count),
    counts.alert_accumulating as number[],
    counts.alert_duplicate as number[],
  ]
}

function options(
  width: number,
  hidden: ReadonlySet<Transition>,
  onRange: (from: number, to: number) => void,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const bars = uPlot.paths.bars?.({ size: [0.8, 40], align: 1 })
  const steps = uPlot.paths.stepped?.({ align: 1 })
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  const series = (name: Transition): uPlot.Series => {
    const isBar = name === 'alert' || name === 'recovery'
    const paths = isBar ? bars : steps
    return {
      label: name,
      scale: isBar ? 'y' : 'quiet',
      show: !hidden.has(name),
      stroke: color(COLORS[name]),
      width: isBar ? 0 : 1.5,
      ...(isBar && { fill: color(COLORS[name]) }),
      points: { show: false },
      ...(paths && { paths }),
    }
  }
  const whole = (_: uPlot, values: (number | null)[]) =>
    values.map(value => (value === null || !Number.isInteger(value) ? '' : number(Math.abs(value))))
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
    scales: {
      y: { range: (_, low, high) => [Math.min(0, low) * 1.1, Math.max(1, high) * 1.1] },
      quiet: { range: (_, __, high) => [0, Math.max(1, high) * 1.1] },
    },
    axes: [
      { ...axis, space: 70 },
      { ...axis, scale: 'y', size: 40, values: whole },
      { ...axis, scale: 'quiet', side: 1, size: 40, values: whole, grid: { show: false } },
    ],
    series: [{}, ...TRANSITIONS.map(series)],
    hooks: {
      setSelect: [
        chart => {
          const { left, width: wide } = chart.select
          if (wide < 4) return
          const at = (pixels: number) => Math.round(chart.posToVal(pixels, 'x') * 1_000)
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          onRange(at(left), at(left + wide))
        },
      ],
    },
  }
}
