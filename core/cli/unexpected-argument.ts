import type { Command } from 'commander'
import { nearest } from '../config/index.js'

/** What is wrong with an argument more than the command takes, and what was meant; undefined when there is none. */
export function unexpectedArgument(program: Command, command: Command): string | undefined {
  const taken = command.registeredArguments
  const word = command.args[taken.length]
  if (word === undefined || taken.some(({ variadic }) => variadic)) return undefined
  const called = command === program ? program.name() : `${program.name()} ${command.name()}`
  if (/\.ya?ml$|\/|^(file|env|yaml|https?):/.test(word))
    return `unexpected argument '${word}': write ${called} --config ${quoted(word)}`
  if (command !== program) return `unexpected argument '${word}'`
  if (/^(run|start|serve)$/.test(word))
    return `unknown command '${word}': to run a collector write ${called} --config FILE`
  const commands = program.commands.map(known => known.name())
  const near = nearest(word, commands)
  return `unknown command '${word}'${near === undefined ? '' : `: did you mean ${near}?`}`
}

function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
