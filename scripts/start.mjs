// `npm start`: the demonstration. `npm start -- ARGUMENTS`: the tocsin command with these arguments. In this process, so
// that a signal arrives once: a terminal sends Ctrl+C to all processes there are.
process.setSourceMapsEnabled(true)
if (process.argv.length === 2) process.argv.push('demo')
await import('../dist/commands/tocsin.js')
