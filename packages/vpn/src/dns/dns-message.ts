import { isTargetHost } from '@weft/onion'
import { FLAG, HEADER_BYTES, TYPE } from './dns-codes.ts'

/** The one question of a message. */
export interface DnsQuestion {
  /** In lower case: letters of labels as they are, each label behind its length, in Latin-1. Two names are one when this is equal. */
  readonly name: string
  readonly type: number
  readonly class: number
  /** Where the message goes on. */
  readonly end: number
}

/** One record, without its name. */
export interface DnsRecord {
  readonly section: 'answer' | 'authority' | 'additional'
  /** Where its name begins. */
  readonly at: number
  readonly type: number
  readonly class: number
  readonly ttlAt: number
  readonly ttl: number
  readonly dataAt: number
  readonly end: number
}

/** EDNS of a message (RFC 6891). */
export interface DnsOptions {
  readonly udpSize: number
  readonly version: number
  readonly dnssecOk: boolean
  /** The upper eight bits of an RCODE of twelve. */
  readonly upperRcode: number
  readonly dataAt: number
  readonly end: number
}

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2)
}

/** Label bytes, length bytes included, with the root's; RFC 1035, section 3.1. */
const MAX_NAME_BYTES = 255
const POINTER = 0xc0

/** The question, when there is exactly one, of an uncompressed name; undefined otherwise. */
export function readQuestion(bytes: Uint8Array): DnsQuestion | undefined {
  if (bytes.length < HEADER_BYTES || u16(bytes, 4) !== 1) return undefined
  let at = HEADER_BYTES
  for (;;) {
    const length = bytes[at]
    if (length === undefined || length >= 64) return undefined
    at += 1 + length
    if (at - HEADER_BYTES > MAX_NAME_BYTES) return undefined
    if (length === 0) break
  }
  const end = at + 4
  if (bytes.length < end) return undefined
  let name = ''
  for (let i = HEADER_BYTES; i < at; i++) {
    const byte = bytes[i] as number
    // Lengths are below 64, so none of them is taken for a letter.
    name += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)
  }
  return { name, type: u16(bytes, at), class: u16(bytes, at + 2), end }
}

/** Where the name at `at` ends, which may go on elsewhere (RFC 1035, section 4.1.4); -1 when it is none. */
function skipName(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const length = bytes[at]
    if (length === undefined) return -1
    if ((length & POINTER) === POINTER) return at + 2 <= bytes.length && pointsBack(bytes, at) ? at + 2 : -1
    if (length >= 64) return -1
    at += 1 + length
    if (at - from > MAX_NAME_BYTES) return -1
    if (length === 0) return at
  }
}

/** The name at `at`, wherever its labels go on, without the last dot; undefined when it is none that a host could have. */
export function readName(bytes: Uint8Array, at: number): string | undefined {
  const labels: string[] = []
  let left = MAX_NAME_BYTES
  for (let from = at; ;) {
    const length = bytes[from]
    if (length === undefined) return undefined
    if ((length & POINTER) === POINTER) {
      // Each leads further back, so that it comes to an end.
      if (!pointsBack(bytes, from)) return undefined
      from = u16(bytes, from) & 0x3fff
      continue
    }
    left -= 1 + length
    if (length >= 64 || left < 0 || from + 1 + length > bytes.length) return undefined
    if (length === 0) break
    labels.push(Buffer.from(bytes.subarray(from + 1, from + 1 + length)).toString('latin1'))
    from += 1 + length
  }
  const name = labels.join('.')
  return isTargetHost(name) ? name : undefined
}

function pointsBack(bytes: Uint8Array, at: number): boolean {
  return (u16(bytes, at) & 0x3fff) < at
}

const SECTIONS = ['answer', 'authority', 'additional'] as const

/** All records behind the question; undefined when the message is malformed. */
export function readRecords(bytes: Uint8Array, from: number): DnsRecord[] | undefined {
  const records: DnsRecord[] = []
  let at = from
  for (const [index, section] of SECTIONS.entries()) {
    for (let left = u16(bytes, 6 + 2 * index); left > 0; left--) {
      const fixed = skipName(bytes, at)
      if (fixed < 0 || fixed + 10 > bytes.length) return undefined
      const dataAt = fixed + 10
      const end = dataAt + u16(bytes, fixed + 8)
      if (end > bytes.length) return undefined
      const [type, kind, ttl] = [u16(bytes, fixed), u16(bytes, fixed + 2), u32(bytes, fixed + 4)]
      records.push({ section, at, type, class: kind, ttlAt: fixed + 4, ttl, dataAt, end })
      at = end
    }
  }
  return records
}

/** The options among records; undefined when there are none. */
export function optionsOf(records: readonly DnsRecord[]): DnsOptions | undefined {
  const opt = records.find(({ type, section }) => type === TYPE.opt && section === 'additional')
  if (opt === undefined) return undefined
  return {
    udpSize: opt.class,
    upperRcode: Math.floor(opt.ttl / 2 ** 24),
    version: Math.floor(opt.ttl / 2 ** 16) & 0xff,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    dataAt: opt.dataAt,
    end: opt.end,
  }
}

/** True when `answer` is a response with the id and the question of `query`: what nobody who does not see the query can make. */
export function answers(query: Uint8Array, answer: Uint8Array): boolean {
  if (u16(answer, 0) !== u16(query, 0) || (u16(answer, 2) & (FLAG.response | FLAG.opcode)) !== FLAG.response)
    return false
  const [asked, told] = [readQuestion(query), readQuestion(answer)]
  return asked !== undefined && told !== undefined && isSameQuestion(asked, told)
}

export function isSameQuestion(a: DnsQuestion, b: DnsQuestion): boolean {
  return a.name === b.name && a.type === b.type && a.class === b.class
}
