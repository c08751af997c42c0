import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { fieldNames, scanLogsQl } from './logsql.js'
import { checkQuery, judgeQuery } from './query-check.js'

type Verdict = 'refused' | 'unrepeatable' | 'warned' | 'accepted'

function verdictOf(query: string): Verdict {
  const { refused, unrepeatable, warnings } = judgeQuery(query)
  if (refused.length > 0) return 'refused'
  if (unrepeatable.length > 0) return 'unrepeatable'
  return warnings.length > 0 ? 'warned' : 'accepted'
}

// What VictoriaLogs 1.26.0 answered on /tail: 400 or a 200 that breaks off at the first match is refused, as are the
// pipes that later versions do not tail (running_stats, total_stats, query_stats).
const QUERIES: Record<Verdict, readonly string[]> = {
  refused: [
    '* | fields _msg, x',
    '* | delete _time',
    '* | rename _time as t',
    '* | math 5 as _time',
    '* | drop _t*',
    '* | del x, _time',
    '* | rm _time',
    '* | mv _time t',
    '* | mv _time as t',
    '* | count()',
    '* | by (x) count()',
    '* | count() n',
    '* | COUNT() n',
    '* | (x) count()',
    '* | (x, y) sum(z) s',
    '* | max(x)',
    '* | first',
    '* | union (x:1)',
    '* | stream_context before 1',
    '* | running_stats count() x',
    '* | total_stats by (a) sum(x)',
    '* | query_stats',
    '* | len(_msg) as _time',
    '* | uniq_values(x)',
    'options(ignore_global_time_filter=true) *',
    'options(allow_partial_response=true) *',
    '* |limit 1',
    '* | collapse_nums at _time',
    '* | pack_json as _time',
    '*|count()',
    '* | rename _t* as z*',
    '* | mv * as p*',
    '* | rename x as y, _time as z',
    '* | copy _time t, x as y | fields t, y',
    '* | by (_time:1m) count()',
    '* | median (x)',
    '* | stats_remote count()',
    'error | STATS count()',
    'error | sort by (_time) | fields _time',
    '* | fields x*, y',
    '* | fields _msg | fields _time',
    '* | unroll by (_time)',
    '{app=~"a|b"} error | uniq by (host)',
    'x:range(1, 10] | top 5 by (x)',
  ],
  unrepeatable: [
    '* | copy t2 as _time',
    '* | rename t2 as _time',
    '* | format "<x>" as _time',
    '* | join by (x) (*)',
    '* | sample 2',
    '* | math now() as n',
    '* | math (_time - now( )) / 2 n',
    '* | math rand() as n',
    '* | extract "<_time>T" from t2',
    '* | replace ("2026","2025") at _time',
    '* | time_add 1h',
  ],
  warned: [
    '"_time":5m',
    '_time:5m error',
    'error (a or (_time:3s b))',
    '* | filter _time:1h',
    '* | _time:1h',
    '_time:[2024-01-01, 2024-02-01) error',
  ],
  accepted: [
    '* | copy _time as t',
    '* | fields _ti*',
    '* | fields *',
    '* | fields "_time", x',
    '* | copy _time as t | delete _time | rename t as _time',
    '* | copy _time t | fields t | rename t _time',
    '* | rename _time as z, z as _time',
    '* | cp * as p*',
    '* | copy _time t | math 5 as _time | rename t as _time',
    '* | count',
    '* | hello',
    '* | "count()"',
    '* | count:1',
    '* | sum',
    '* | math a + now as n',
    '* | in(1)',
    '* # | stats count()',
    '* | fields _time # , _msg',
    'foo # comment | stats "',
    'x:in(_time:1d error | fields x)',
    'x:contains_any(_time:1d error | fields x)',
    '_time:day_range[08:00, 18:00] error',
    '_time:week_range[Mon, Fri] error',
    '_time:>2024-01-01 error',
    '_time:>=2024-01-01T00:00:00Z error',
    '_msg:"a | stats count()" or x:1',
    'x:in(* | stats by (x) count() | fields x)',
    '* | filter x:in(* | limit 1 | fields x)',
    'options(concurrency=1) *',
    'options(allow_partial_response=false) *',
    'x:in(options(ignore_global_time_filter=true) * | fields x)',
    '* | replace ("2026","2025") at x',
    '* | collapse_nums',
    '* | pack_json as j',
    '* | pack_json fields (_time, _msg) as j',
    '* | drop_empty_fields',
    '* | unpack_json from _msg',
    '* | unpack_json from _msg fields (a, b) result_prefix "p_"',
    '* | (x:1 or x:2)',
    '* | (x:1) y:2',
    '* | {app="a"}',
    '* | !x:1',
    'x:1 | filter y:2 | fields _time,_msg,x',
    '* | copy _t* as z*',
    '* | format "<time:_time> <x>" as y',
    '* | format if (x:1) "a|b" as y',
    '* | extract "a <b> | limit <c>" from _msg',
    '* | fields _time, _msg, "log.level", count',
    '`raw | stats count()`',
    `'single \\' | limit 1'`,
    'log.level:error | fields _time, log.level',
    'sort OR limit',
    '* | fields x*, _time',
    '* | delete "x"*',
    '* | delete x* | delete y',
    '* | set_stream_fields x',
    '* | unroll (x)',
    '* | time_add 1h at x',
    '* | math x - _time as age',
    '* | math round(_time, 1s) r',
    '* | rename x y, z as w',
    '* | len(_time) as l',
    '* | split "," as parts',
    '{app=~"a|b"} error | filter {host="x|y"}',
    're("a|b")',
    '_msg:~"a|count()"',
    'x:range(1, 10] | filter y:range[1, 5)',
  ],
}

describe('judgeQuery', () => {
  for (const [verdict, queries] of Object.entries(QUERIES)) {
    it.each(queries)(`${verdict}: %s`, query => {
      expect(verdictOf(query)).toBe(verdict)
    })
  }

  it('never throws, whatever the query', () => {
    const piece = fc.constantFrom(
      ...[
        '|',
        '"',
        "'",
        '`',
        '(',
        ')',
        '[',
        ']',
        '{',
        '}',
        '#',
        '\n',
        '\\',
        ' ',
        '*',
        ',',
        ':',
        '_time',
        'as',
        'fields',
      ],
      ...['math', 'now', 'count', 'rename', 'format', 'extract', 'by', 'options', 'in', 'ü'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), pieces => {
        judgeQuery(pieces.join(''))
      }),
      runs(),
    )
  })
})

describe('scanLogsQl', () => {
  it('finds a pipe at the top, and none in quotes, brackets and comments', () => {
    const inert = fc.constantFrom(
      'a',
      '"x | y"',
      "'x | \\' y'",
      '`x | y`',
      'f:in(* | fields g)',
      '{a="b|c"}',
      '# | z\n',
      'r:range[1|2)',
    )
    fc.assert(
      fc.property(
        fc.array(fc.array(inert, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        parts => {
          const query = parts.map(part => `w ${part.join(' ')}`).join('\n|')
          expect(scanLogsQl(query).pipes).toHaveLength(parts.length - 1)
        },
      ),
      runs(),
    )
  })

  it('glues a field name from what stands together', () => {
    const names = (list: string) => fieldNames(scanLogsQl(list).filter)
    expect(names('a.b-c, d*,"e f"*, _time , \'x\\u0041\'')).toEqual(['a.b-c', 'd*', 'e f*', '_time', 'xA'])
  })
})

describe('checkQuery', () => {
  it('says what is wrong and what to do', () => {
    expect(checkQuery('* | by (host) count()')).toEqual([
      {
        path: ['query'],
        message: 'VictoriaLogs cannot tail a query with the pipe "by (...) count(...)"',
        fix: expect.stringContaining('processor'),
      },
    ])
    expect(checkQuery('* | fields _msg')).toEqual([
      {
        path: ['query'],
        message: expect.stringContaining('"fields" leaves _time out'),
        fix: expect.stringContaining('_time'),
      },
    ])
    expect(checkQuery('* | delete x, _time')).toEqual([
      expect.objectContaining({ message: expect.stringContaining('"delete" leaves _time out') }),
    ])
    for (const query of ['_time:5m', '* | sample 10']) {
      expect(checkQuery(query)).toEqual([expect.objectContaining({ severity: 'warning' })])
    }
  })

  it('calls a query of comments and spaces empty', () => {
    for (const query of ['', '  ', ' # all', '\n#']) {
      expect(checkQuery(query).map(({ message }) => message)).toEqual(['the query is empty'])
    }
  })
})
