/** Handlebars and Jinja templates over log records. */
export { TemplateError } from './error.js'
export { variablesIn } from './jinja/scan.js'
export { checkTemplate, compileTemplate, engineSchema } from './template.js'
export type { Template, TemplateEngine, TemplateOptions, TemplateProblem } from './types.js'
export { type TemplateView, type TemplateViewOptions, templateView } from './view.js'
