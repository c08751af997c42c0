import type { TemplateView } from './view.js'

/** The language of a template. */
export type TemplateEngine = 'handlebars' | 'jinja'

/** A compiled template. */
export interface Template {
  /** Throws `TemplateError` (`template_failed`) when it cannot work with the values, or the text gets too long. */
  render(view: TemplateView): string
}

/** How a template is read, and what its values are escaped for. */
export interface TemplateOptions {
  /** Handlebars when not given. */
  readonly engine?: TemplateEngine
  /** Escape values for HTML (not those in `{{{ }}}`, and those that are `|safe` in Jinja). */
  readonly html?: boolean
  /** Escape values for Markdown (not those in `{{{ }}}`, and what Jinja's Markdown filters made). */
  readonly markdown?: boolean
  /** The text is JSON: values inside of its strings are escaped for them (not those in `{{{ }}}`). */
  readonly json?: boolean
}

/** What is wrong with a template: the message stands by itself; `offset` counts characters from 0. */
export interface TemplateProblem {
  readonly message: string
  readonly fix?: string
  /** Characters from the start of the template. */
  readonly offset?: number
}
