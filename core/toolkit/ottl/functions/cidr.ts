import { isIP } from 'node:net'
import { OttlEvalError } from '../errors.js'
import { anything, type Converter, converter, type Kind, param, strings } from '../signature.js'
import { typeNoun, typeOf, type Value } from '../values.js'

// Not net.BlockList: it finds 10.1.2.3 in ::/0, where the Collector, as Go, does not.
interface Network {
  readonly bits: bigint
  /** How many bits of an address are its own. */
  readonly free: bigint
  readonly size: number
}

/** Literal networks are read once. */
const networks: Kind<readonly Network[]> = {
  ...strings,
  expects: 'a list of networks such as "10.0.0.0/8"',
  convert: (value, constant) => strings.convert(value, constant).map(networkOf),
}

export const CIDR_CONVERTERS: readonly Converter[] = [
  converter('IsInCIDR', [param('target', anything), param('networks', networks)], 'bool', isInCidr),
]

function isInCidr(target: Value, all: readonly Network[]): boolean {
  if (typeof target !== 'string')
    throw new OttlEvalError(`expected a string, found ${typeNoun(typeOf(target))}`)
  const address = addressOf(target)
  return (
    address !== undefined &&
    all.some(({ bits, free, size }) => size === address.size && address.bits >> free === bits)
  )
}

function networkOf(text: string): Network {
  const [base = '', length = '', ...rest] = text.split('/')
  const address = addressOf(base)
  const given = isIP(base) === 6 ? 128 : 32
  if (!address || rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > given) {
    throw new OttlEvalError('one of the networks is none: write it like "10.0.0.0/8"')
  }
  const free = BigInt(Math.min(given - Number(length), address.size))
  return { bits: address.bits >> free, free, size: address.size }
}

/** As Go reads it: an IPv4 address in IPv6's clothes, `::ffff:10.0.0.1`, is an IPv4 address. */
function addressOf(text: string): { readonly bits: bigint; readonly size: 32 | 128 } | undefined {
  const family = isIP(text)
  if (family === 4) return { bits: BigInt(`0x${hex4(text)}`), size: 32 }
  if (family !== 6 || text.includes('%')) return undefined
  const full = text.replace(/\d+\.\d+\.\d+\.\d+$/, four => hex4(four).replace(/^(.{4})/, '$1:'))
  const [head = '', tail] = full.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(tail === undefined ? 0 : 8 - left.length - right.length).fill('0')
  const bits = BigInt(`0x${[...left, ...zeros, ...right].map(group => group.padStart(4, '0')).join('')}`)
  return bits >> 32n === 0xffffn ? { bits: bits & 0xffff_ffffn, size: 32 } : { bits, size: 128 }
}

function hex4(address: string): string {
  return address
    .split('.')
    .map(part => Number(part).toString(16).padStart(2, '0'))
    .join('')
}
