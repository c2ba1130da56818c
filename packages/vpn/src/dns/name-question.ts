import { ipToBytes } from '@weft/onion'
import { CLASS_IN, FLAG, HEADER_BYTES } from './dns-codes.ts'

const MAX_LABEL_BYTES = 63
/** Length bytes and the root's included (RFC 1035, section 3.1). */
const MAX_NAME_BYTES = 255

/** A query for the records of a name, with id 0 (RFC 1035, section 4.1); undefined where it is no name that DNS could carry. */
export function nameQuestion(name: string, type: number): Uint8Array | undefined {
  const labels = (name.endsWith('.') ? name.slice(0, -1) : name).split('.').map((label) => Buffer.from(label, 'latin1'))
  const bytes = labels.reduce((sum, { length }) => sum + 1 + length, 1)
  if (bytes > MAX_NAME_BYTES || labels.some(({ length }) => length === 0 || length > MAX_LABEL_BYTES)) return undefined
  const head = new Uint8Array(HEADER_BYTES)
  head.set([FLAG.recursionDesired >> 8, 0, 0, 1], 2)
  const parts = labels.flatMap((label) => [Uint8Array.of(label.length), label])
  return Buffer.concat([head, ...parts, Uint8Array.of(0, type >> 8, type & 0xff, 0, CLASS_IN)])
}

/** The name under which an address's own name stands (RFC 1035, section 3.5; RFC 3596, section 2.5). @param address IP literal */
export function reverseName(address: string): string | undefined {
  const bytes = ipToBytes(address)
  if (bytes === undefined) return undefined
  if (bytes.length === 4) return `${[...bytes].reverse().join('.')}.in-addr.arpa`
  return `${Buffer.from(bytes).toString('hex').split('').reverse().join('.')}.ip6.arpa`
}
