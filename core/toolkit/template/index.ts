/** Handlebars templates over log records. */
export { TemplateError } from './error.js'
export {
  checkTemplate,
  compileTemplate,
  type Template,
  type TemplateOptions,
  type TemplateProblem,
} from './template.js'
export { type TemplateView, type TemplateViewOptions, templateView } from './view.js'
