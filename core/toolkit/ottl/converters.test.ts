import { describe, expect, it } from 'vitest'
import { createRecord, fromJson } from '../../model/index.js'
import { COMPARE } from './compare.js'
import { compileCondition, compileStatements, OttlEvalError } from './index.js'

const record = createRecord({
  id: '1',
  timestamp: 1_736_935_200_123_456_789n,
  body: 'hello wörld',
  attributes: fromJson({
    s: 'text',
    m: { a: 1, b: 2 },
    l: [3, 1, 2],
    n: null,
    d: 2.5,
    i: 7,
    t: true,
  }) as never,
})

/** The value of an expression, by way of a statement; undefined for nil. */
function value(expression: string): unknown {
  const statements = compileStatements([`set(attributes["out"], ${expression})`], {
    errorMode: 'propagate',
    onError: () => {},
  })
  return statements.run([record])[0]?.attributes.out
}

describe('converters', () => {
  it.each<[string, unknown]>([
    ['IsString("")', true],
    ['BytesToText([69, 82, 13])', 'ER\r'],
    ['BytesToText([195, 188])', 'ü'],
    ['BytesToText(0x4552)', 'ER'],
    ['BytesToText(attributes["s"])', 'text'],
    ['BytesToText([1, 256])', [1n, 256n]],
    ['BytesToText(["a"])', ['a']],
    ['IsString(1)', false],
    ['IsInt(attributes["i"])', true],
    ['IsInt(1.0)', false],
    ['IsDouble(attributes["d"])', true],
    ['IsBool(false)', true],
    ['IsMap(attributes)', true],
    ['IsMap(time)', false],
    ['IsList(attributes["l"])', true],
    ['IsList(attributes["m"])', false],
    ['IsEmpty(attributes["n"])', true],
    ['IsEmpty({})', true],
    ['IsEmpty([])', true],
    ['IsEmpty(0)', true],
    ['IsEmpty(trace_id)', true],
    ['IsEmpty("a")', false],
    ['Int("42")', 42n],
    ['Int("-7")', -7n],
    ['Int("2.0")', undefined],
    ['Int("99999999999999999999")', undefined],
    ['Int(-2.9)', -2n],
    ['Int(99999999999999999999.0)', undefined],
    ['Int(true)', 1n],
    ['Int([1])', undefined],
    ['Log(1)', 0],
    ['Log("10")', Math.LN10],
    ['Double("2.5")', 2.5],
    ['Double("1e3")', 1000],
    ['Double(3)', 3],
    ['Bool("T")', true],
    ['Bool("False")', false],
    ['Bool(2)', true],
    ['Bool(0.0)', false],
    ['String(1)', '1'],
    ['String(true)', 'true'],
    ['String(0xc0ffee)', 'c0ffee'],
    ['String([1, "a"])', '[1,"a"]'],
    ['String({"a": 1})', '{"a":1}'],
    ['String(nil)', undefined],
    ['String(time)', '2025-01-15T10:00:00.123456789Z'],
    ['String(Duration("90m"))', '1h30m0s'],
    ['String(Duration("1500us"))', '1.5ms'],
    ['Hex("1")', '31'],
    ['Hex(12)', '000000000000000c'],
    ['Hex(1.1)', '3ff199999999999a'],
    ['Hex(true)', '01'],
    ['Hex(0x02)', '02'],
    ['HasPrefix("abc", "ab")', true],
    ['HasSuffix("abc", "ab")', false],
    ['TrimPrefix("ingest_x", "ingest_")', 'x'],
    ['TrimPrefix("x", "ingest_")', 'x'],
    ['TrimSuffix("x_service", "_service")', 'x'],
    ['TrimSuffix("x", "")', 'x'],
    ['Trim("  a b ")', 'a b'],
    ['Trim("!!a!!", "!")', 'a'],
    ['ToLowerCase("ÄBc")', 'äbc'],
    ['ToUpperCase("abc")', 'ABC'],
    ['ToSnakeCase("myMetricName")', 'my_metric_name'],
    ['ToSnakeCase("HTTPServer")', 'http_server'],
    ['ToCamelCase("my_metric_name")', 'MyMetricName'],
    ['ConvertCase("aB", "upper")', 'AB'],
    ['Split("a,b,,c", ",")', ['a', 'b', '', 'c']],
    ['Split("a,b", ",")[1]', 'b'],
    ['Concat(["a", 1, 2.5, true, nil, 0x01, [1]], "-")', 'a-1-2.5-true-<nil>-01-[1]'],
    ['Substring("123456789", 0, 3)', '123'],
    ['Substring("wörld", 0, 2, true)', 'w'],
    ['Substring("wörld", 2, 3, utf8_safe = true)', 'rl'],
    [
      'Format("%s=%d %5.2f|%-4s|%04d %t %v %q %x %X %%", ["a", 1, 2.5, "b", -7, true, nil, "q\\"", 255, 255])',
      'a=1  2.50|b   |-007 true <nil> "q\\"" ff FF %',
    ],
    ['Format("%d %s", ["a"])', '%!d(string=a) %!s(MISSING)'],
    ['Format("a", [1, "b"])', 'a%!(EXTRA int64=1, string=b)'],
    ['Format("%v %v %g %e", [1000000000000000000000.0, 0.00001, 1.5, 1.0])', '1e+21 1e-05 1.5 1.000000e+00'],
    ['ExtractPatterns("pid=42 x", "pid=(?P<pid>[0-9]+)(?P<rest>!)?")', { pid: '42' }],
    ['ExtractPatterns("none", "pid=(?P<pid>[0-9]+)")', {}],
    ['IsInCIDR("10.1.2.3", ["192.168.0.0/16", "10.0.0.0/8"])', true],
    ['IsInCIDR("11.1.2.3", ["10.0.0.0/8"])', false],
    ['IsInCIDR("2001:db8::1", ["2001:db8::/32"])', true],
    ['IsInCIDR("::ffff:10.0.0.1", ["::ffff:a00:0/104"])', true],
    ['IsValidLuhn("17893729974")', true],
    ['IsValidLuhn(4111111111111111)', true],
    ['IsValidLuhn("4111111111111112")', false],
    ['IsInCIDR("::ffff:10.1.2.3", ["10.0.0.0/8"])', true],
    ['IsInCIDR("10.1.2.3", ["::/0"])', false],
    ['IsInCIDR("fe80::1", ["0.0.0.0/0", "::/0"])', true],
    ['IsInCIDR("nonsense", ["10.0.0.0/8"])', false],
    ['Len("wörld")', 6n],
    ['Len(attributes["l"])', 3n],
    ['Len({})', 0n],
    ['Keys(attributes["m"])', ['a', 'b']],
    ['Values(attributes["m"])', [1n, 2n]],
    ['ContainsValue(attributes["l"], 3.0)', true],
    ['ContainsValue([1.1], "1.1")', false],
    ['Index("wörld", "r")', 3n],
    ['Index("a", "b")', -1n],
    ['Index(attributes["l"], 2)', 2n],
    ['Coalesce([attributes["none"], attributes["n"], "x", "y"])', 'x'],
    ['Coalesce([nil])', undefined],
    ['Sort(attributes["l"])', [1n, 2n, 3n]],
    ['Sort([10, 9.5], "desc")', [10n, 9.5]],
    ['Sort(["b", 10, 9, true])', [10n, 9n, 'b', true]],
    ['SliceToMap([{"name": "a", "v": 1}], ["name"], ["v"])', { a: 1n }],
    ['SliceToMap([{"v": 1}])', { 0: { v: 1n } }],
    ['SHA1("name")', '6ae999552a0d2dca14d62e2bc8b764d377b1dd6c'],
    ['SHA256("hello world")', 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9'],
    ['MD5("hello world")', '5eb63bbbe01eeed093cb22bb8f5acdc3'],
    ['Len(SHA512("a"))', 128n],
    ['FNV("hello world")', 8618312879776256743n],
    ['Base64Decode("aGVsbG8gd29ybGQ=")', 'hello world'],
    ['Base64Encode("a>?", "base64-url")', 'YT4_'],
    ['Base64Encode("a", "base64-raw")', 'YQ'],
    ['Base64Encode("a")', 'YQ=='],
    ['Decode("YQ", "base64-raw")', 'a'],
    ['Decode(0xe9, "latin1")', 'é'],
    ['ParseJSON("{\\"a\\": [1, null, true, {\\"b\\": \\"c\\"}]}")', { a: [1, null, true, { b: 'c' }] }],
    ['ParseKeyValue("k1=v1 k2=\\"v 2\\"  k3=")', { k1: 'v1', k2: 'v 2', k3: '' }],
    ['ToKeyValueString({"k1": "v1", "k2": 2, "k3": {"a": true}})', 'k1=v1 k2=2 k3={\\"a\\":true}'],
    ['ToKeyValueString({"k": "v=2", "q": "say \\"hi\\""})', 'k="v=2" q="say \\"hi\\""'],
    ['ToKeyValueString({"b": 1, "a": nil}, ":", ",", true)', 'a:,b:1'],
    ['ParseKeyValue("k1!v1_k2!v2", "!", "_")', { k1: 'v1', k2: 'v2' }],
    ['ParseKeyValue("a:1,b:2", pair_delimiter=",", delimiter=":")', { a: '1', b: '2' }],
    ['ParseCSV("a,\\"b, c\\"", "x,y")', { x: 'a', y: 'b, c' }],
    ['ParseCSV("a|b", "x,y", "|", headerDelimiter=",")', { x: 'a', y: 'b' }],
    ['ParseCSV("\\"a,b", "x,y", mode="ignoreQuotes")', { x: '"a', y: 'b' }],
    ['ParseCSV("a\\nb,c", "x,y")', { x: 'a\nb', y: 'c' }],
    ['ParseInt("12345", 10)', 12345n],
    ['ParseInt("-0xFF", 0)', -255n],
    ['ParseInt("0b1111_0000", 0)', 240n],
    ['ParseInt("-0o123", 0)', -83n],
    ['ParseInt("017", 0)', 15n],
    ['ParseInt("AA", 16)', 170n],
    ['ParseInt("-20", 8)', -16n],
    ['ParseInt("0", 0)', 0n],
    [
      'ParseSeverity(404, {"info": [{"range": "2xx"}], "warn": [{"range": {"min": 400, "max": 499}}]})',
      'warn',
    ],
    ['ParseSeverity("E", {"error": [{"equals": ["err", "E"]}]})', 'error'],
    ['UnixMilli(time)', 1736935200123n],
    ['UnixMicro(time)', 1736935200123456n],
    ['UnixNano(time)', 1736935200123456789n],
    ['UnixSeconds(Unix(-1, 500000000))', -1n],
    [
      '[Year(time), Month(time), Day(time), Hour(time), Minute(time), Second(time), Weekday(time)]',
      [2025n, 1n, 15n, 10n, 0n, 0n, 3n],
    ],
    ['Nanosecond(time)', 123456789n],
    ['UnixSeconds(Time("02/04/2023", "%m/%d/%Y"))', 1675468800n],
    ['UnixSeconds(Time("2023-05-26 12:34:56", "%Y-%m-%d %H:%M:%S", "America/New_York"))', 1685118896n],
    [
      'UnixSeconds(Time("2023-01-26T12:34:56+02:00", "%Y-%m-%dT%H:%M:%S%j", "America/New_York"))',
      1674729296n,
    ],
    ['UnixMilli(Time("2023-05-26 12:34:56.789", "%F %T.%L"))', 1685104496789n],
    ['FormatTime(time, "%A %h %e %Y %R %% %f")', 'Wednesday Jan 15 2025 10:00 % 123456'],
    ['FormatTime(TruncateTime(time, Duration("24h")), "%F %T%z")', '2025-01-15 00:00:00+0000'],
    [
      'FormatTime(time, "%F %T.%s %Z %i %j %k %w")',
      '2025-01-15 10:00:00.123456789 UTC +00 +00:00 +00:00:00 +000000',
    ],
    ['FormatTime(time, "%f %I %p %P")', '123456 10 AM am'],
    ['FormatTime(Unix(-1, 999999999), "%F %T.%s")', '1969-12-31 23:59:59.999999999'],
    ['FormatTime(Unix(253402300799), "%F %T")', '9999-12-31 23:59:59'],
    ['FormatTime(Unix(253402300799) - Duration("24h"), "%F")', '9999-12-30'],
    ['Nanoseconds(Unix(253402300799) - Unix(0))', 9223372036854775807n],
    ['UnixNano(TruncateTime(time, Duration("1s")))', 1736935200000000000n],
    ['Nanoseconds(Duration("1h2m3.5s"))', 3723500000000n],
    ['Milliseconds(Duration("-1.5s"))', -1500n],
    ['Microseconds(Duration("1ms"))', 1000n],
    ['Seconds(Duration("90s"))', 90],
    ['Minutes(Duration("90s"))', 1.5],
    ['Hours(Duration("90m"))', 1.5],
  ])('%s', (expression, expected) => {
    expect(value(expression)).toEqual(expected)
  })

  it.each([
    ['HasPrefix(attributes["n"], "a")', 'expected a string, found nil'],
    ['Len(attributes["t"])', 'found a boolean'],
    ['Substring(attributes["s"], 2, 3)', 'beyond the 4 bytes'],
    ['ParseJSON(attributes["s"])', 'not JSON'],
    ['ParseKeyValue(attributes["s"])', 'a pair has no "="'],
    ['ParseCSV(attributes["s"], "a,b")', '1 fields and the header 2'],
    ['ParseInt(attributes["s"], 10)', 'no integer of base 10'],
    ['ParseInt(Concat([attributes["i"], 9223372036854775807], ""), 10)', '64 bits'],
    ['ParseSeverity(attributes["s"], {})', 'no level'],
    ['Time(attributes["s"], "%Y")', 'form of the layout'],
    ['Year(Unix(9223372036854775807 - attributes["i"]))', 'Unix: the time is not of the years 1 to 9999'],
    ['Log(attributes["s"])', 'no number'],
    ['Log(attributes["i"] - 7)', 'above 0'],
    ['IsValidLuhn(attributes["s"])', 'expected digits'],
    ['URL(attributes["s"])', 'no URL'],
    ['URL(Concat(["http://h/%", attributes["s"]], ""))', 'no URL'],
    ['Duration(attributes["s"])', 'no duration'],
    ['Sort([attributes["m"]])', 'cannot sort a map'],
    ['Base64Decode(Concat([attributes["s"], "!"], ""))', 'not base64'],
    ['Values(attributes["s"])', 'expected a map, found a string'],
    ['time', 'holds no time values'],
    ['[time - time]', 'holds no durations'],
  ])('%s fails', (expression, message) => {
    expect(() => value(expression)).toThrow(OttlEvalError)
    expect(() => value(expression)).toThrow(message)
  })

  it('URL takes a URL apart', () => {
    const parts = (url: string) => value(`URL(${JSON.stringify(url)})`)
    expect(
      parts('http://myusername:mypassword@www.example.com:80/foo.gif?key1=val1&key2=val2#fragment'),
    ).toEqual({
      'url.original': 'http://myusername:mypassword@www.example.com:80/foo.gif?key1=val1&key2=val2#fragment',
      'url.scheme': 'http',
      'url.domain': 'www.example.com',
      'url.port': 80n,
      'url.path': '/foo.gif',
      'url.extension': 'gif',
      'url.query': 'key1=val1&key2=val2',
      'url.fragment': 'fragment',
      'url.user_info': 'myusername:mypassword',
      'url.username': 'myusername',
      'url.password': 'mypassword',
    })
    const plain = { 'url.scheme': 'http', 'url.path': '' }
    expect(parts('http://www.example.com')).toEqual({
      ...plain,
      'url.original': 'http://www.example.com',
      'url.domain': 'www.example.com',
    })
    expect(parts('HTTP://[2001:db8::1]:8080')).toEqual({
      ...plain,
      'url.original': 'HTTP://[2001:db8::1]:8080',
      'url.domain': '2001:db8::1',
      'url.port': 8080n,
    })
    expect(parts('/a%20b?q')).toMatchObject({ 'url.path': '/a b', 'url.query': 'q', 'url.domain': '' })
    for (const wrong of ['', 'example.com', 'http://a b/', 'http://h:port/', 'http://[::1/', 'mailto:a@b']) {
      expect(() => parts(wrong)).toThrow('no URL')
    }
  })

  it('read what they wrote: a time formatted is parsed again', () => {
    const layout = '"%Y-%m-%dT%H:%M:%S.%L%z"'
    const text = `UnixMilli(Time(FormatTime(time, ${layout}), ${layout})) == UnixMilli(time)`
    expect(compileCondition(text).test(record)).toBe(true)
    expect(
      COMPARE['=='](value(`FormatTime(time, ${layout})`) as string, '2025-01-15T10:00:00.123+0000'),
    ).toBe(true)
  })
})
