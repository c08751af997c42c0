/** Handlebars and Jinja templates over log records. */
export { TemplateError } from './error.js'
export { variablesIn } from './jinja/scan.js'
export { isJson } from './json-text.js'
export { templateNames } from './names.js'
export { checkJsonTemplate, checkTemplate, compileTemplate, engineSchema } from './template.js'
export type { Template, TemplateEngine, TemplateOptions, TemplateProblem } from './types.js'
export { type TemplateView, type TemplateViewOptions, templateView } from './view.js'
