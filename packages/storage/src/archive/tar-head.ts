import { concatBytes, utf8 } from '@weft/core'

// A pax archive (POSIX.1-2017, pax: ustar and extended headers): every member is an extended header and a file behind it.

export const TAR_BLOCK = 512
/** The largest size that the octal field of a header holds, bytes. */
const MAX_OCTAL_SIZE = 0o77777777777
const MODE = '0000600'
const ZERO = '0000000'

export interface TarHead {
  /** With `/` between its parts; relative. */
  readonly path: string
  /** Bytes of the member. */
  readonly size: number
  /** ms since the epoch. */
  readonly modifiedAt: number
  /** Further records of the extended header, by keyword. */
  readonly records: ReadonlyMap<string, string>
}

/** What stands in front of the bytes of a member. */
export function tarHead({ path, size, modifiedAt, records }: TarHead): Uint8Array {
  const all = new Map([['path', path], ['size', String(size)], ...records])
  const extended = concatBytes([...all].map(([keyword, value]) => paxRecord(keyword, value)))
  return concatBytes([
    header('pax-header', extended.length, modifiedAt, 'x'),
    extended,
    tarPadding(extended.length),
    // Readers that know nothing of extended headers see this name.
    header(plainName(path), size, modifiedAt, '0'),
  ])
}

/** Zeros behind `size` bytes of a member, up to a whole block. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK)
}

/** What stands behind the last member. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * TAR_BLOCK)
}

/** Of all bytes of a header, the field of the sum itself as spaces. */
export function tarChecksum(block: Uint8Array): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
}

/** `length keyword=value\n`; the length counts its own digits. */
function paxRecord(keyword: string, value: string): Uint8Array {
  const rest = utf8(` ${keyword}=${value}\n`)
  let length = rest.length + 1
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length
  return concatBytes([utf8(String(length)), rest])
}

function header(name: string, size: number, modifiedAt: number, type: 'x' | '0'): Uint8Array {
  const block = new Uint8Array(TAR_BLOCK)
  const field = (at: number, text: string): void => block.set(utf8(text), at)
  field(0, name)
  field(100, MODE)
  field(108, ZERO)
  field(116, ZERO)
  // A larger one stands in the extended header alone.
  field(124, octal(size > MAX_OCTAL_SIZE ? 0 : size, 11))
  field(136, octal(Math.max(0, Math.floor(modifiedAt / 1_000)), 11))
  field(156, type)
  field(257, 'ustar\u000000')
  field(329, ZERO)
  field(337, ZERO)
  field(148, `${octal(tarChecksum(block), 6)}\u0000 `)
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function plainName(path: string): string {
  return path.replaceAll(/[^\w./-]/g, '_').slice(0, 100)
}
