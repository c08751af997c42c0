/** What became of one test. */
export interface CaseResult {
  readonly name: string
  /** `FILE:LINE` of the test. */
  readonly place: string
  readonly ms: number
  /** Empty when it passed: one block of lines for each thing that is wrong. */
  readonly failures: readonly (readonly string[])[]
  readonly warnings: readonly string[]
}

export interface FileResult {
  readonly name: string
  /** Lines when the file, or its configuration, cannot be read: then there are no tests. */
  readonly problems: readonly string[]
  readonly cases: readonly CaseResult[]
  readonly snapshots: { readonly path: string; readonly written: number }
}

export function isPassed(file: FileResult): boolean {
  return file.problems.length === 0 && file.cases.every(({ failures }) => failures.length === 0)
}

/** TAP version 14. */
export function tapOf(files: readonly FileResult[]): string {
  const lines = ['TAP version 14']
  let number = 0
  const test = (passed: boolean, name: string, details: readonly string[]): void => {
    lines.push(
      `${passed ? 'ok' : 'not ok'} ${++number} - ${name.replace(/[#\\]/g, '\\$&').replace(/\s+/g, ' ')}`,
    )
    if (details.length > 0)
      lines.push('  ---', '  message: |', ...details.map(line => `    ${line}`), '  ...')
  }
  for (const { name, problems, cases } of files) {
    if (problems.length > 0) test(false, name, problems)
    for (const one of cases) test(one.failures.length === 0, `${name}: ${one.name}`, one.failures.flat())
  }
  return `${[...lines, `1..${number}`].join('\n')}\n`
}

/** JUnit's XML, as CI systems read it. */
export function junitOf(files: readonly FileResult[]): string {
  const suites = files.map(file => {
    const { name, problems, cases } = file
    const failed = cases.filter(({ failures }) => failures.length > 0).length
    const ms = cases.reduce((sum, one) => sum + one.ms, 0)
    const testcases = cases.map(({ name: title, place, ms: own, failures }) => {
      const [, path = name, line = ''] = /^(.*):(\d+)$/.exec(place) ?? []
      const attributes = `name="${escaped(title)}" classname="${escaped(name)}" file="${escaped(path)}" line="${line}" time="${seconds(own)}"`
      if (failures.length === 0) return `    <testcase ${attributes}/>`
      const message = escaped(failures[0]?.[0] ?? '')
      const text = escaped(failures.map(lines => lines.join('\n')).join('\n'))
      return `    <testcase ${attributes}>\n      <failure message="${message}">${text}</failure>\n    </testcase>`
    })
    if (problems.length > 0) {
      const text = escaped(problems.join('\n'))
      testcases.unshift(
        `    <testcase name="${escaped(name)}" classname="${escaped(name)}">\n      <error message="${escaped(problems[0] ?? '')}">${text}</error>\n    </testcase>`,
      )
    }
    const errors = problems.length > 0 ? 1 : 0
    return `  <testsuite name="${escaped(name)}" tests="${cases.length + errors}" failures="${failed}" errors="${errors}" time="${seconds(ms)}">\n${testcases.join('\n')}\n  </testsuite>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3)
}

/** Characters that XML 1.0 has no way to write become U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
}
