/** Says how Handlebars writes what was written for Jinja. It translates hints, not templates. */

export interface JinjaFound {
  readonly offset: number
  readonly problem: string
  readonly fix: string
}

const TAG =
  /\{%[-+]?\s*(if|elif|else|endif|for|endfor|set|endset|with|endwith|raw|endraw|filter|endfilter|macro|endmacro|call|endcall|block|endblock|include|import|from|extends|autoescape|endautoescape|do)\b([\s\S]*?)(?:[-+]?%\}|$)/
const COMMENT = /(?<!\{)\{#([\s\S]*?)#\}/

/** The first Jinja statement or comment in a template. */
export function findJinjaTag(source: string): JinjaFound | undefined {
  const tag = TAG.exec(source)
  if (tag) {
    const [whole, name = '', rest = ''] = tag
    return {
      offset: tag.index,
      problem: `${JSON.stringify(whole.length > 60 ? `${whole.slice(0, 57)}...` : whole)} is Jinja; templates are Handlebars`,
      fix: tagFix(name, rest.trim()),
    }
  }
  const comment = COMMENT.exec(source)
  return comment
    ? {
        offset: comment.index,
        problem: 'a comment in {# #} is Jinja; templates are Handlebars',
        fix: `write {{!-- ${(comment[1] ?? '').trim()} --}}`,
      }
    : undefined
}

/** The Handlebars form of what stands in `{{ }}`, a condition too, when it reads as Jinja and means nothing in Handlebars. */
export function translateJinja(inner: string): string | undefined {
  const [, block, condition = ''] = /^#(if|unless)\s+([\s\S]+)$/.exec(inner) ?? []
  if (block) {
    const form = expression(condition)
    return form && form !== condition.trim() ? `{{#${block} ${form}}}…{{/${block}}}` : undefined
  }
  try {
    const form = new Translator(inner).output()
    return form.replace(/\s/g, '') === `{{${inner}}}`.replace(/\s/g, '') ? undefined : form
  } catch (error) {
    if (error instanceof NoForm) return undefined
    throw error
  }
}

function tagFix(name: string, rest: string): string {
  switch (name) {
    case 'if':
      return `write {{#if ${expression(rest) ?? 'name'}}}…{{/if}}`
    case 'elif':
      return `write {{else if ${expression(rest) ?? 'name'}}}`
    case 'else':
      return 'write {{else}}'
    case 'endif':
      return 'write {{/if}}'
    case 'endfor':
      return 'write {{/each}}'
    case 'for': {
      const [, names = 'item', list = 'list'] = /^([\w\s,]+?)\s+in\s+([\s\S]+)$/.exec(rest) ?? []
      const [key, item] = names.split(',').map(part => part.trim())
      const means = item ? `{{@key}} for ${key} and {{this}} for ${item}` : `{{this}} for ${key}`
      return `write {{#each ${expression(list) ?? 'list'}}}…{{/each}} with ${means}`
    }
    case 'set':
    case 'with': {
      const [, names = 'name', value = 'value'] = /^(\w+)\s*=\s*([\s\S]+)$/.exec(rest) ?? []
      return `write {{#with ${expression(value) ?? 'value'} as |${names}|}}…{{/with}}`
    }
    default:
      return 'Handlebars has no such statement: write the text in place'
  }
}

function expression(text: string): string | undefined {
  try {
    return new Translator(text).argument()
  } catch (error) {
    if (error instanceof NoForm) return undefined
    throw error
  }
}

class NoForm extends Error {}

/** A Handlebars expression; a call needs parentheses inside of another. */
interface Form {
  readonly text: string
  readonly call?: boolean
  readonly raw?: boolean
}

const OPERATORS: { readonly [operator: string]: (a: string, b: string) => string } = {
  '==': (a, b) => `eq ${a} ${b}`,
  '!=': (a, b) => `ne ${a} ${b}`,
  '<': (a, b) => `lt ${a} ${b}`,
  '>': (a, b) => `gt ${a} ${b}`,
  '<=': (a, b) => `not (gt ${a} ${b})`,
  '>=': (a, b) => `not (lt ${a} ${b})`,
}

const FILTERS: { readonly [filter: string]: string } = {
  upper: 'upper',
  lower: 'lower',
  default: 'default',
  d: 'default',
  length: 'length',
  count: 'length',
  replace: 'replace',
  join: 'join',
  urlencode: 'urlencode',
  tojson: 'json',
  truncate: 'truncate',
}

const NO_ARGUMENTS: { readonly [filter: string]: string } = { default: ' ""', join: ' ""', truncate: ' 255' }

class Translator {
  readonly #tokens: string[]
  #at = 0

  constructor(text: string) {
    const token =
      /\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\d+(?:\.\d+)?|[A-Za-z_]\w*|[=!<>]=|[-+*/%<>|().,~[\]])/y
    this.#tokens = []
    while (token.lastIndex < text.trimEnd().length) {
      const match = token.exec(text)
      if (!match || this.#tokens.length > 200) throw new NoForm()
      this.#tokens.push(match[1] as string)
    }
  }

  output(): string {
    const pieces = this.#concatenation()
    if (this.#take('if')) {
      const condition = this.#disjunction()
      const other = this.#take('else') ? this.#concatenation() : []
      this.#end()
      const otherwise = other.length > 0 ? `{{else}}${other.map(show).join('')}` : ''
      return `{{#if ${wrap(condition)}}}${pieces.map(show).join('')}${otherwise}{{/if}}`
    }
    this.#end()
    return pieces.map(show).join('')
  }

  argument(): string {
    const form = this.#disjunction()
    this.#end()
    return wrap(form)
  }

  #concatenation(): Form[] {
    const pieces = [this.#disjunction()]
    while (this.#take('~')) pieces.push(this.#disjunction())
    return pieces
  }

  #disjunction(): Form {
    return this.#chain('or', () => this.#chain('and', () => this.#negation()))
  }

  #chain(word: string, next: () => Form): Form {
    const forms = [next()]
    while (this.#take(word)) forms.push(next())
    return forms.length === 1 ? (forms[0] as Form) : call(`${word} ${forms.map(wrap).join(' ')}`)
  }

  #negation(): Form {
    return this.#take('not') ? call(`not ${wrap(this.#negation())}`) : this.#comparison()
  }

  #comparison(): Form {
    const left = this.#filtered()
    const write = Object.hasOwn(OPERATORS, this.#peek()) ? OPERATORS[this.#next()] : undefined
    if (write) return call(write(wrap(left), wrap(this.#filtered())))
    if (!this.#take('is')) return left
    const negated = this.#take('not')
    const what = this.#next()
    if (what !== 'defined' && what !== 'undefined' && what !== 'none') throw new NoForm()
    return negated === (what === 'defined') ? call(`not ${wrap(left)}`) : left
  }

  #filtered(): Form {
    let form = this.#primary()
    while (this.#take('|')) {
      const filter = this.#next()
      const values = this.#take('(') ? this.#arguments() : []
      if (filter === 'safe') form = { ...form, raw: true }
      else if (Object.hasOwn(FILTERS, filter)) {
        const rest =
          values.length > 0 ? ` ${values.join(' ')}` : (NO_ARGUMENTS[FILTERS[filter] as string] ?? '')
        form = call(`${FILTERS[filter]} ${wrap(form)}${rest}`)
      } else if (!['e', 'escape', 'string', 'trim'].includes(filter)) throw new NoForm()
    }
    return form
  }

  #arguments(): string[] {
    const values: string[] = []
    while (!this.#take(')')) {
      if (values.length > 0 && !this.#take(',')) throw new NoForm()
      values.push(wrap(this.#disjunction()))
    }
    return values
  }

  #primary(): Form {
    const token = this.#next()
    if (token === '(') {
      const form = this.#disjunction()
      if (!this.#take(')')) throw new NoForm()
      return form
    }
    if (/^["']/.test(token)) return { text: quote(token.slice(1, -1).replace(/\\(.)/g, '$1')) }
    if (/^\d/.test(token)) return { text: token }
    if (!/^\w/.test(token) || /^(if|else|and|or|not|in|is)$/.test(token)) throw new NoForm()
    const names = [token]
    while (this.#peek() === '.' || this.#peek() === '[') {
      const dot = this.#next() === '.'
      const name = this.#next()
      if (dot ? !/^\w/.test(name) : !/^["'\d]/.test(name) || !this.#take(']')) throw new NoForm()
      names.push(/^\d/.test(name) ? `[${name}]` : dot ? name : `[${name.slice(1, -1)}]`)
    }
    return { text: token === 'none' ? 'null' : names.join('.') }
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? ''
  }

  #next(): string {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw new NoForm()
    return token
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false
    this.#at++
    return true
  }

  #end(): void {
    if (this.#at < this.#tokens.length) throw new NoForm()
  }
}

function call(text: string): Form {
  return { text, call: true }
}

function wrap(form: Form): string {
  return form.call ? `(${form.text})` : form.text
}

function show(form: Form): string {
  if (/^"/.test(form.text) && !form.call) return form.text.slice(1, -1)
  return form.raw ? `{{{${form.text}}}}` : `{{${form.text}}}`
}

function quote(text: string): string {
  return text.includes('"') ? `'${text}'` : `"${text}"`
}
