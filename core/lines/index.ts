export { LineSplitter, type LineSplitterOptions, utf8PieceEnd } from './line-splitter.js'
