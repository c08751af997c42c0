import { expect, it } from 'vitest'
import { checkCondition, checkPath, checkStatement, compileCondition, OttlError } from './index.js'

const show = (problem: { message: string; fix?: string } | undefined): string =>
  problem ? `${problem.message}${problem.fix === undefined ? '' : ` (${problem.fix})`}` : 'fine'

it('shows where a condition is wrong, and how to put it right', () => {
  const wrong = [
    '',
    'attributes["alert"]["skip_webhook"] = false',
    'severty_number >= SEVERITY_NUMBER_ERROR',
    'severity_number >= ERROR',
    'message == "x"',
    'attributes["a"] == null',
    'attributes.user.name == "x"',
    'severity_text["a"] == "x"',
    'attributes["x"]',
    'body == "a" AND body == "b"',
    'body == "a" && body == "b"',
    "body == 'a'",
    'body == "a',
    'IsMatch(body, "\\d+")',
    'IsMatch(body, "(?i)fail(ed")',
    'IsMatch(body, "a(?=b)")',
    'ismatch(body, "a")',
    'IsMatch(body)',
    'IsMatch(body, "a", "b")',
    'Substring(body, 0, lenght = 3) == ""',
    'Substring(start = 0, body, 1) == ""',
    'Substring(body, 0, start = 1) == ""',
    'HasPrefix(severity_number, "a")',
    'Len(body)',
    '1 + "a" == 2',
    'body == 99999999999999999999',
    'body == 0xabc',
    'body == ',
    '(body == "a"',
    'body == "a")',
    '(body == "a") == true',
    'cache["a"] == 1',
    'set(attributes["a"], 1)',
    'ExtractPatterns(body, "a") == nil',
    'Duration("1 hour") > Duration("1m")',
    'Split(body, ",")[true] == ""',
    'Time(body, severity_text) == nil',
    'Time(body, "%Y-%m-%d %Q") == nil',
    'Time(body, "2006-01-02") == nil',
    'Time(body, "%Y", "Mars/Olympus") == nil',
    'IsInCIDR(body, ["10.0.0.0/8", "10.0.0.0/33"])',
    'ParseKeyValue(body, "", " ") == nil',
    'UUIDv7() == body',
    'ExtractGrokPatterns(body, "%{IPS}") == nil',
    'Any(attributes["l"], (_, v) => v == 1)',
    'body =~ "x"',
    'severity_text in ["ERROR"]',
    'attributes["a"] exists',
    'attributes["a"] == None',
    'attributes["a"] == True',
    'SEVERITY_NUMBER_ERROR',
    'resource["host.name"] == "a"',
    'span.name == "a"',
    '"日本語 e\u0301 😀" == body && true',
    'body == "\\ud800"',
    'body == @',
    `body == "${'long '.repeat(40)}" and body = "x" and ${'body == "y" and '.repeat(20)} true`,
    'body == "a"\n  and severity = 3\n  and true',
  ]
  expect(wrong.map(text => show(checkCondition(text))).join('\n')).toMatchSnapshot()
})

it('shows where a statement is wrong', () => {
  const wrong = [
    'st(attributes["a"], 1)',
    'set(attributes["a"])',
    'set(attributes["a"], 1, 2)',
    'set(3, 4)',
    'set(attributes["a"], 1 == 1)',
    'set(attributes["a"], 1)["x"]',
    'set(attributes["a"], 1) where',
    'set(attributes["a"], 1) if body == "x"',
    'IsMatch(body, "a")',
    'delete_key(severity_text, "a")',
    'limit(attributes, 1, ["a", "b"])',
    'limit(attributes, -1, [])',
    'merge_maps(attributes, ParseJSON(body), "replace")',
    'replace_pattern(body, "a", "b", SHA25)',
    'replace_pattern(body, "a", "b", SHA256, "no format")',
    'replace_match(body, "[a", "b")',
    'truncate_all(attributes, 3, truncation_marker = "four")',
    'body == "x"',
    'UUIDv7()',
  ]
  const shown = wrong.map(text => show(checkStatement(text)))
  shown.push(show(checkStatement('set(body, "x")', 'resource')))
  shown.push(show(checkStatement('set(severity_text, "x")', 'resource')))
  shown.push(show(checkStatement('set(log.severity_text, "x")', 'scope')))
  expect(shown.join('\n')).toMatchSnapshot()
})

it('shows where a path is wrong', () => {
  const wrong = ['', 'atributes["a"]', 'host.name', 'body[', 'attributes["a]', 'severity_text["a"]', 'a b']
  expect(wrong.map(text => show(checkPath(text))).join('\n')).toMatchSnapshot()
  for (const text of [
    'body',
    'attributes["a"][0]',
    "attributes['a']",
    'resource.attributes.host',
    'log.trace_id.string',
  ]) {
    expect(checkPath(text)).toBeUndefined()
  }
})

it('tells the position and the fix apart from the message', () => {
  expect(checkCondition('body = "x"')).toEqual({
    message: 'unexpected "=", expected "and", "or" or the end\n    body = "x"\n         ^',
    offset: 5,
    fix: 'to compare, write ==',
  })
  expect(() => compileCondition('body =')).toThrow(OttlError)
  expect(() => compileCondition('body =')).toThrow(
    expect.objectContaining({ code: 'invalid_ottl', retryable: false, offset: 5, text: 'body =' }),
  )
})
