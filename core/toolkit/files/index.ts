/** Files that are read again when they change. Only for components of this repository. */
export { type WatchedFile, type WatchedFileOptions, watchFile } from './watched-file.js'
