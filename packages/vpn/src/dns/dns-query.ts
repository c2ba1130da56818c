import { CLASS_IN, FLAG, HEADER_BYTES, MAX_UDP_BYTES, MIN_UDP_BYTES, RCODE, TYPE } from './dns-codes.ts'
import { type DnsOptions, type DnsQuestion, optionsOf, readQuestion, readRecords, u16 } from './dns-message.ts'

/** What a program asked. */
export interface DnsQuery {
  readonly bytes: Uint8Array
  readonly id: number
  /** RD and CD as it set them. */
  readonly flags: number
  readonly question: DnsQuestion
  readonly options: DnsOptions | undefined
}

/** A query that is answered with a code at once. */
export interface RefusedQuery {
  readonly bytes: Uint8Array
  readonly rcode: number
}

const KEPT_FLAGS = FLAG.recursionDesired | FLAG.checkingDisabled

/** Reads what a program sent; undefined for what gets no answer: it is no query. */
export function readQuery(bytes: Uint8Array): DnsQuery | RefusedQuery | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const header = u16(bytes, 2)
  // Two servers that answer answers would do so for ever.
  if ((header & FLAG.response) !== 0) return undefined
  if ((header & FLAG.opcode) !== 0) return { bytes, rcode: RCODE.notImplemented }
  const question = readQuestion(bytes)
  const records = question === undefined ? undefined : readRecords(bytes, question.end)
  if (question === undefined || records === undefined) return { bytes, rcode: RCODE.formatError }
  const options = optionsOf(records)
  if (options !== undefined && options.version !== 0) return { bytes, rcode: RCODE.badVersion }
  const isTransfer = question.type === TYPE.axfr || question.type === TYPE.ixfr
  if (question.class !== CLASS_IN || isTransfer || question.type === TYPE.opt) return { bytes, rcode: RCODE.refused }
  return { bytes, id: u16(bytes, 0), flags: header & KEPT_FLAGS, question, options }
}

/** Bytes that an answer by UDP may have. */
export function udpLimit({ options }: DnsQuery): number {
  return Math.min(MAX_UDP_BYTES, Math.max(MIN_UDP_BYTES, options?.udpSize ?? 0))
}

/**
 * The query as it goes on: its question, and nothing else of what the program said, which may tell one program or network from
 * another (RFC 7871, RFC 7873).
 */
export function forwardedQuery({ question, flags, options, bytes }: DnsQuery, id: number): Uint8Array {
  const asked = bytes.subarray(HEADER_BYTES, question.end)
  const out = new Uint8Array(question.end + OPT_BYTES)
  out.set([id >> 8, id & 0xff, (flags | FLAG.recursionDesired) >> 8, flags & 0xff, 0, 1, 0, 0, 0, 0, 0, 1])
  out.set(asked, HEADER_BYTES)
  out.set(optRecord(0, options?.dnssecOk === true, NO_DATA), question.end)
  return out
}

const NO_DATA = new Uint8Array(0)
const OPT_BYTES = 11

/** An OPT record (RFC 6891, section 6.1.2). */
export function optRecord(upperRcode: number, dnssecOk: boolean, data: Uint8Array): Uint8Array {
  const head = [0, 0, TYPE.opt, MAX_UDP_BYTES >> 8, MAX_UDP_BYTES & 0xff, upperRcode, 0, dnssecOk ? 0x80 : 0, 0]
  return Uint8Array.of(...head, data.length >> 8, data.length & 0xff, ...data)
}
