import { type Labels, type Layout, labelsOf } from './rules.js'
import type { MetricRow } from './table.js'

/** The labels of all series of a metric that there are from the start. */
export function* expectedLabels(
  { name, of, more, untyped }: MetricRow,
  layout: Layout,
  version: string,
): Generator<Labels> {
  const [label, values] = more ?? ['', ['']]
  for (const value of values) {
    const extra: Labels = label === '' ? {} : { [label]: value }
    switch (of) {
      case 'service':
        yield name === 'build_info' ? { version } : extra
        break
      case 'source':
        for (const source of layout.sources.keys()) yield { vl_source: source }
        break
      case 'notifier':
        for (const notifier of layout.notifiers)
          yield label === 'error_type'
            ? { notifier: notifier.name, ...extra }
            : { ...labelsOf(notifier), ...extra }
        break
      case 'rule':
        for (const { labels } of layout.streams) yield { ...labels, ...extra }
        break
      case 'rule and notifier':
        for (const { rule, labels } of layout.streams)
          for (const notifier of rule.notifiers) {
            const { notifier_name, notifier_type } = labelsOf(notifier)
            if (!untyped) yield { ...labels, notifier_name, notifier_type }
            else if (name.startsWith(notifier.type)) yield { ...labels, notifier_name }
          }
    }
  }
}
