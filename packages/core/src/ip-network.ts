import { isIP } from 'node:net'
import { canonicalHost } from './ip-address.ts'
import { ipv6Groups } from './ipv6-groups.ts'

/** Addresses as numbers, the first and the last. */
export interface NetworkRange {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

/** Takes an IP network as ADDRESS/BITS (CIDR), with nothing behind these bits, or one address. @throws RangeError with why it is none */
export function checkNetwork(text: string): void {
  networkRange(text)
}

/** The addresses of a network, written so. @throws RangeError as {@link checkNetwork} */
export function networkRange(text: string): NetworkRange {
  const [, host = '', digits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const family = isIP(host)
  if (family === 0) throw new RangeError(`'${text.slice(0, 80)}' has no IPv4 or IPv6 address`)
  const whole = family === 6 ? 128 : 32
  const bits = Number(digits ?? whole)
  if (bits > whole) throw new RangeError(`'${text}' has more than ${whole} bits`)
  const address = valueOf(host, family)
  const behind = BigInt(whole - bits)
  const network = (address >> behind) << behind
  if (network !== address)
    throw new RangeError(`'${text}' has an address behind its ${bits} bits: write ${textOf(network, family)}/${bits}`)
  return { family: family === 6 ? 6 : 4, first: network, last: network + (1n << behind) - 1n }
}

function valueOf(host: string, family: number): bigint {
  if (family === 4) return host.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)
  return ipv6Groups(canonicalHost(host) ?? host).reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

function textOf(value: bigint, family: number): string {
  const [parts, width, radix] = family === 4 ? [4, 8n, 10] : [8, 16n, 16]
  const all = Array.from({ length: parts }, (_, at) => {
    const part = (value >> (width * BigInt(parts - 1 - at))) & ((1n << width) - 1n)
    return part.toString(radix)
  })
  if (family === 4) return all.join('.')
  return canonicalHost(all.join(':')) ?? all.join(':')
}
