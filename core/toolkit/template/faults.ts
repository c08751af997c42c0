import { closest, distance } from 'fastest-levenshtein'
import { BLOCKS } from './blocks.js'
import { invalid, offsetOf, type TemplateError } from './error.js'
import { HELPERS, type Helper } from './helpers.js'

interface Node {
  readonly loc: hbs.AST.SourceLocation
}

/** What a template that parses may still not say: where, why, and how it is written. */
export class Faults {
  constructor(private readonly source: string) {}

  at(node: Node, problem: string, fix?: string): TemplateError {
    return invalid(this.source, offsetOf(this.source, node.loc.start), problem, fix)
  }

  unknown(
    node: Node,
    name: string,
    known: readonly string[],
    what: 'helper' | 'block' | 'name',
  ): TemplateError {
    const near = closest(name, known)
    const close = distance(name.toLowerCase(), near.toLowerCase()) <= (near.length > 3 ? 2 : 1)
    const text = what === 'block' ? `{{#${name}}}` : name
    return this.at(
      node,
      `there is no ${what} ${text}`,
      close ? `did you mean ${what === 'block' ? `{{#${near}}}` : near}?` : `there are ${known.join(', ')}`,
    )
  }

  noBlock(node: hbs.AST.BlockStatement, name: string): TemplateError {
    const helper = HELPERS.get(name)
    const inner = [name, this.text(node.params ?? [])].join(' ').trim()
    return helper
      ? this.at(
          node,
          `${name} is not a block`,
          helper.usage.startsWith('{{#if')
            ? `write {{#if (${inner})}}…{{/if}}`
            : `write {{${inner}}} where its text goes`,
        )
      : this.unknown(node, name, [...Object.keys(BLOCKS)], 'block')
  }

  blockTakesOne(node: hbs.AST.BlockStatement, name: string): TemplateError {
    const params = node.params ?? []
    return this.at(
      node,
      `{{#${name}}} takes one value, not ${params.length}`,
      params.length > 1 && HELPERS.has(this.text(params.slice(0, 1)))
        ? `a helper stands in parentheses: {{#${name} (${this.text(params)})}}`
        : `{{#${name} name}}`,
    )
  }

  wrongCount(call: Node, name: string, helper: Helper, given: number): TemplateError {
    const takes = helper.min === helper.max ? helper.min : `${helper.min} to ${helper.max}`
    return this.at(
      call,
      `${name} takes ${takes} value${takes === 1 ? '' : 's'}, not ${given}`,
      given === 0
        ? `write ${helper.usage}, or {{attributes.${name}}} for an attribute of this name`
        : `write ${helper.usage}`,
    )
  }

  text(nodes: readonly hbs.AST.Expression[]): string {
    return nodes
      .map(({ loc }) => this.source.slice(offsetOf(this.source, loc.start), offsetOf(this.source, loc.end)))
      .join(' ')
  }
}
