import { utf8 } from '@weft/core'
import { FLAG, HEADER_BYTES, RCODE, TYPE } from './dns-codes.ts'
import { type DnsOptions, type DnsRecord, optionsOf, readQuestion, readRecords, u16, u32 } from './dns-message.ts'
import { type DnsQuery, optRecord } from './dns-query.ts'

/** An answer that came whole: what may be handed on and kept. */
export interface DnsAnswer {
  readonly bytes: Uint8Array
  readonly records: readonly DnsRecord[]
  /** Behind the question; of the records, up to OPT: what stands behind that is left out. */
  readonly from: number
  readonly end: number
  readonly rcode: number
  readonly options: DnsOptions | undefined
}

/** An extended error (RFC 8914). */
export interface ExtendedError {
  readonly code: number
  readonly text: string
}

const EDE_OPTION = 15
/** Bytes of an extended error's text that are handed on. */
const MAX_TEXT_BYTES = 200
/**
 * Seconds that programs and resolvers of this machine are told to keep a record at most: they ask again once other routes are in use, of
 * which they hear nothing. Whoever asks sooner gets it from what is kept here.
 */
const MAX_TOLD_SECONDS = 60

/** Reads an answer; undefined when it is malformed. */
export function readAnswer(bytes: Uint8Array): DnsAnswer | undefined {
  const question = readQuestion(bytes)
  const records = question === undefined ? undefined : readRecords(bytes, question.end)
  if (question === undefined || records === undefined) return undefined
  const opt = records.find(({ type }) => type === TYPE.opt)
  const end = opt?.at ?? records.at(-1)?.end ?? question.end
  const kept = opt === undefined ? records : records.slice(0, records.indexOf(opt))
  return {
    bytes,
    records: kept,
    from: question.end,
    end,
    rcode: u16(bytes, 2) & FLAG.rcode,
    options: optionsOf(records),
  }
}

/** The extended error that an answer brought; undefined when there is none. */
export function extendedErrorOf({ bytes, options }: DnsAnswer): ExtendedError | undefined {
  if (options === undefined) return undefined
  for (let at = options.dataAt; at + 4 <= options.end; at += 4 + u16(bytes, at + 2)) {
    const end = at + 4 + u16(bytes, at + 2)
    if (u16(bytes, at) !== EDE_OPTION || end < at + 6 || end > options.end) continue
    return { code: u16(bytes, at + 4), text: printable(bytes.subarray(at + 6, end)) }
  }
  return undefined
}

/** What an exit says is shown to people: ASCII that can be printed, and no more than a line of it. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, MAX_TEXT_BYTES))
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?')
}

/** Seconds for which an answer may be kept (RFC 2181, section 5.2; of what there is not, RFC 2308, section 5); 0 for not at all. */
export function lifetimeOf({ bytes, records, rcode }: DnsAnswer): number {
  if ((u16(bytes, 2) & FLAG.truncated) !== 0) return 0
  if (rcode !== RCODE.noError && rcode !== RCODE.nameError) return 0
  const told = records.filter(({ section }) => section !== 'additional')
  if (rcode === RCODE.noError && told.some(({ section }) => section === 'answer'))
    return told.reduce((least, { ttl }) => Math.min(least, validTtl(ttl)), Infinity)
  const soa = told.find(({ type, section }) => type === TYPE.soa && section === 'authority')
  if (soa === undefined || soa.end - soa.dataAt < 22) return 0
  return Math.min(validTtl(soa.ttl), validTtl(u32(bytes, soa.end - 4)))
}

/** RFC 2181, section 8: with the highest bit set it is zero. */
function validTtl(ttl: number): number {
  return ttl >= 2 ** 31 ? 0 : ttl
}

/** The answer as the program gets it: with its id, its spelling of the name, and TTLs that are `ageSeconds` older, a minute at most. */
export function answerTo(query: DnsQuery, answer: DnsAnswer, ageSeconds: number, error?: ExtendedError): Uint8Array {
  const { bytes, records, from, end, options } = answer
  const head = bytes.slice(0, end)
  // Not AD: that an exit has checked signatures is its own word, which no program is to take for proof (RFC 4035, section 3.2.3).
  const upstream = u16(bytes, 2) & (FLAG.rcode | FLAG.truncated)
  writeHeader(head, query, upstream)
  head.set(query.bytes.subarray(HEADER_BYTES, from), HEADER_BYTES)
  for (const [index, section] of (['answer', 'authority', 'additional'] as const).entries()) {
    const count = records.filter((record) => record.section === section).length
    head.set([count >> 8, count & 0xff], 6 + 2 * index)
  }
  for (const { ttlAt, ttl } of records) {
    const left = Math.min(MAX_TOLD_SECONDS, Math.max(0, validTtl(ttl) - ageSeconds))
    head.set([left >>> 24, (left >>> 16) & 0xff, (left >>> 8) & 0xff, left & 0xff], ttlAt)
  }
  return withOptions(head, query, options?.upperRcode ?? 0, error)
}

/** An answer without records. */
export function bareAnswer(query: DnsQuery, rcode: number, error?: ExtendedError): Uint8Array {
  const head = query.bytes.slice(0, query.question.end)
  writeHeader(head, query, rcode & FLAG.rcode)
  head.set([0, 0, 0, 0, 0, 0], 6)
  return withOptions(head, query, rcode >> 4, error)
}

/** An answer to what could not be read as a query, by its header alone. */
export function refusalOf(bytes: Uint8Array, rcode: number): Uint8Array {
  const flags = (u16(bytes, 2) & (FLAG.opcode | FLAG.recursionDesired)) | FLAG.response | FLAG.recursionAvailable
  const out = new Uint8Array(HEADER_BYTES)
  out.set([bytes[0] ?? 0, bytes[1] ?? 0, flags >> 8, (flags & 0xff) | (rcode & FLAG.rcode)])
  if (rcode < 16) return out
  out[11] = 1
  return Buffer.concat([out, optRecord(rcode >> 4, false, new Uint8Array(0))])
}

/** The same answer without records and marked as cut, when it has more bytes than `limit`: it is to be asked for by TCP. */
export function cutTo(query: DnsQuery, answer: Uint8Array, limit: number): Uint8Array {
  if (answer.length <= limit) return answer
  const cut = bareAnswer(query, u16(answer, 2) & FLAG.rcode)
  cut[2] = (cut[2] ?? 0) | (FLAG.truncated >> 8)
  return cut
}

function writeHeader(head: Uint8Array, { id, flags }: DnsQuery, upstream: number): void {
  const kept = flags & (FLAG.recursionDesired | FLAG.checkingDisabled)
  const all = FLAG.response | FLAG.recursionAvailable | kept | upstream
  head.set([id >> 8, id & 0xff, all >> 8, all & 0xff, 0, 1])
}

function withOptions(
  head: Uint8Array,
  query: DnsQuery,
  upperRcode: number,
  error: ExtendedError | undefined,
): Uint8Array {
  if (query.options === undefined) return head
  const count = u16(head, 10) + 1
  head.set([count >> 8, count & 0xff], 10)
  return Buffer.concat([
    head,
    optRecord(upperRcode, query.options.dnssecOk, error === undefined ? new Uint8Array(0) : edeOption(error)),
  ])
}

function edeOption({ code, text }: ExtendedError): Uint8Array {
  const words = utf8(text).subarray(0, MAX_TEXT_BYTES)
  const length = 2 + words.length
  return Uint8Array.of(0, EDE_OPTION, length >> 8, length & 0xff, code >> 8, code & 0xff, ...words)
}
