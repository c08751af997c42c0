/** Bytes cut into lines, for receivers of text. */
export { type AddedFields, addedFieldsProperties } from './added-fields.js'
export { LineSplitter, type LineSplitterOptions, utf8PieceEnd } from './line-splitter.js'
