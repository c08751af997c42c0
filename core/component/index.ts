/** The contract that components are written against, ours and third parties': `tocsin/component`. */
export * from '../model/index.js'
export {
  checkTemplate,
  compileTemplate,
  type Template,
  TemplateError,
  type TemplateOptions,
  type TemplateProblem,
  type TemplateView,
  type TemplateViewOptions,
  templateView,
} from '../template/index.js'
export type * from './context.js'
export * from './errors.js'
export type * from './exporter.js'
export type * from './extension.js'
export * from './factory.js'
export type * from './listener.js'
export type * from './processor.js'
export type * from './receiver.js'
export type * from './schema.js'
export type * from './storage.js'
