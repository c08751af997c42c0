/** Times read and written by layouts such as `%Y-%m-%d %H:%M:%S`. */
export { type Dialect, type Part, partsOf, readableLetters, unknownLetter } from './directives.js'
export { type Names, namesOf } from './names.js'
export { compileTimeReader, type LocalTime, momentIn, namesYear } from './read.js'
export { compileTimeWriter } from './write.js'
