import { ipToBytes } from '@weft/onion'
import { CLASS_IN, RCODE, TYPE } from './dns-codes.ts'
import { bareAnswer } from './dns-answer.ts'
import { u16 } from './dns-message.ts'
import type { DnsQuery } from './dns-query.ts'

/** Seconds: as RFC 6303, section 3, has it for such answers. */
const TTL = 10_800

/**
 * Names that mean something on one machine or network only, or nothing: RFC 6761, 6762, 7686, 8375; `internal`, which ICANN keeps free
 * for that, and what else is used so, though it should not (RFC 6762, appendix G).
 */
const NOWHERE = ['local', 'onion', 'invalid', 'home.arpa', 'internal', 'intranet', 'private', 'corp', 'home', 'lan']
/** Names of private addresses (RFC 6303, section 4): whoever hears these asked for learns the networks of who asks. */
const REVERSE = [
  '10.in-addr.arpa',
  ...Array.from({ length: 16 }, (_, index) => `${16 + index}.172.in-addr.arpa`),
  '168.192.in-addr.arpa',
  '254.169.in-addr.arpa',
  '127.in-addr.arpa',
  '0.in-addr.arpa',
  '255.255.255.255.in-addr.arpa',
  ...Array.from({ length: 64 }, (_, index) => `${64 + index}.100.in-addr.arpa`),
  `1${'.0'.repeat(31)}.ip6.arpa`,
  `0${'.0'.repeat(31)}.ip6.arpa`,
  'c.f.ip6.arpa',
  'd.f.ip6.arpa',
  ...['8', '9', 'a', 'b'].map((digit) => `${digit}.e.f.ip6.arpa`),
]
const ZONES: ReadonlySet<string> = new Set([...NOWHERE, ...REVERSE])

/** The answer to a name that no exit is asked for, and that no exit asks for; undefined for all others. */
export function localAnswer(query: DnsQuery): Uint8Array | undefined {
  const labels = labelsOf(query.question.name)
  if (labels.at(-1) === 'localhost') return loopback(query)
  return isOfZone(labels) ? bareAnswer(query, RCODE.nameError) : undefined
}

/** The same of a name in lower case, without a dot at its end. */
export function isLocalName(name: string): boolean {
  return isOfZone(name.split('.'))
}

function isOfZone(labels: readonly string[]): boolean {
  return labels.some((_, from) => ZONES.has(labels.slice(from).join('.')))
}

/** @param name in the form of DnsQuestion */
function labelsOf(name: string): string[] {
  const labels: string[] = []
  for (let at = 0; name.charCodeAt(at) > 0; at += 1 + name.charCodeAt(at))
    labels.push(name.slice(at + 1, at + 1 + name.charCodeAt(at)))
  return labels
}

/** RFC 6761, section 6.3. */
function loopback(query: DnsQuery): Uint8Array {
  const { type, end } = query.question
  const address = type === TYPE.a ? '127.0.0.1' : type === TYPE.aaaa ? '::1' : undefined
  const data = address === undefined ? undefined : ipToBytes(address)
  const bare = bareAnswer(query, RCODE.noError)
  if (data === undefined) return bare
  const ttl = [TTL >>> 24, (TTL >>> 16) & 0xff, (TTL >>> 8) & 0xff, TTL & 0xff]
  const record = Uint8Array.of(0xc0, 12, 0, type, 0, CLASS_IN, ...ttl, 0, data.length, ...data)
  const answer = Buffer.concat([bare.subarray(0, end), record, bare.subarray(end)])
  answer.writeUInt16BE(u16(bare, 6) + 1, 6)
  return answer
}
