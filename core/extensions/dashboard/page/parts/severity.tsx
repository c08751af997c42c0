import { severityClass } from '../filter.js'
import { t, word } from '../text.js'

/** As the table has it: only known words are translated. */
export function Severity({ severity }: { readonly severity: string }) {
  return <span class={`severity ${severityClass(severity)}`}>{severityText(severity)}</span>
}

export function severityText(severity: string): string {
  return severity === '' ? t('none') : word('severity', severity)
}
