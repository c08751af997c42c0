import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import type { Summary } from '../../messages.js'
import { axisTime, moment, number, t } from '../text.js'
import { FIGURES, type Figure } from '../transitions.js'

const HEIGHT = 150
/** Between the marks of an axis: there is no half alert. */
const COUNTS = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map(n => n * 10 ** power)).flat()
const COLORS: { readonly [figure in Figure]: string } = {
  alerts: '--critical',
  recoveries: '--good',
  accumulating: '--warning',
  duplicates: '--faint',
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
  const [hidden, setHidden] = useState<ReadonlySet<Figure>>(new Set())
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

  // Colours are read anew for each theme
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

  const { figures, timeline } = summary
  const said = FIGURES.map(name => `${t(`figure.${name}`)} ${number(figures[name])}`).join(', ')
  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <div class="panel-head">
        <h2 id="timeline-title">{t('timeline.title')}</h2>
        <fieldset class="legend" aria-label={t('timeline.legend')}>
          {FIGURES.map(name => (
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
              {t(`figure.${name}`)}
            </button>
          ))}
        </fieldset>
      </div>
      <div ref={box} class="plot" role="img" aria-label={`${t('timeline.title')}: ${said}`} />
      <details class="as-table">
        <summary>{t('timeline.table')}</summary>
        <section class="scroll" tabIndex={0} aria-label={t('timeline.table')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('column.time')}</th>
                {FIGURES.map(name => (
                  <th key={name} scope="col" class="number">
                    {t(`figure.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {timeline.buckets.map(bucket => {
                const { at } = bucket
                const counts = FIGURES.map(name => bucket[name])
                if (counts.every(count => count === 0)) return null
                return (
                  <tr key={at}>
                    <th scope="row">{moment(at, now)}</th>
                    {counts.map((count, column) => (
                      <td key={FIGURES[column]} class="number">
                        {number(count)}
                      </td>
                    ))}
                  </tr>
                )
              })}
            </tbody>
          </table>
        </section>
      </details>
    </section>
  )
}

function dataOf({ timeline: { buckets, stepMs } }: Summary): uPlot.AlignedData {
  const last = buckets.at(-1)
  if (!last) return [[], [], [], [], []]
  // Each mark spans from its time to the next: the newest one too.
  const end = { ...last, at: last.at + stepMs }
  return [
    [...buckets, end].map(({ at }) => at / 1_000),
    [...buckets.map(({ alerts }) => alerts || null), null],
    [...buckets.map(({ recoveries }) => -recoveries || null), null],
    [...buckets, end].map(({ accumulating }) => accumulating),
    [...buckets, end].map(({ duplicates }) => duplicates),
  ]
}

/** What a canvas understands: the style sheet's colours, whatever they are made of. */
function colors(): (name: string) => string {
  const probe = document.createElement('span')
  document.body.append(probe)
  const found = new Map<string, string>()
  for (const name of ['--muted', '--line', ...Object.values(COLORS)]) {
    probe.style.color = `var(${name})`
    found.set(name, getComputedStyle(probe).color)
  }
  probe.remove()
  return name => found.get(name) ?? ''
}

function axisTimes(seconds: readonly number[]): string[] {
  const step = ((seconds[1] ?? 0) - (seconds[0] ?? 0)) * 1_000
  return seconds.map(second => axisTime(second * 1_000, step))
}

function options(
  width: number,
  hidden: ReadonlySet<Figure>,
  onRange: (from: number, to: number) => void,
): uPlot.Options {
  const color = colors()
  const bars = uPlot.paths.bars?.({ size: [0.8, 40], align: 1 })
  const steps = uPlot.paths.stepped?.({ align: 1 })
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  const series = (name: Figure): uPlot.Series => {
    const isBar = name === 'alerts' || name === 'recoveries'
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
      { ...axis, space: 70, size: 26, values: (_, seconds) => axisTimes(seconds) },
      { ...axis, scale: 'y', size: 40, space: 26, incrs: COUNTS, values: whole },
      {
        ...axis,
        scale: 'quiet',
        side: 1,
        size: 40,
        space: 26,
        incrs: COUNTS,
        values: whole,
        grid: { show: false },
      },
    ],
    series: [{}, ...FIGURES.map(series)],
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
