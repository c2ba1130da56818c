import { ChaChaMask, type HeaderMask } from './header-mask.ts'
import { ChaChaPackets, type PacketAead } from './packet-aead.ts'

/** Ciphers of the layers between a client and a hop, and of links (docs/specs/packets.md, Suites). */
export const Suite = { chacha20Poly1305: 1, aes256Gcm: 2 } as const

export type Suite = (typeof Suite)[keyof typeof Suite]

/** AES-256 of a machine that has instructions for it. Keys are copied. */
export interface Aes256 {
  /** AES-256-GCM. */
  readonly gcm: (key: Uint8Array) => PacketAead
  /** Header protection by one block of AES-256 (RFC 9001, section 5.4.3). */
  readonly mask: (key: Uint8Array) => HeaderMask
}

/** What this machine computes beside ChaCha20-Poly1305, which all do. */
export interface Suites {
  /** Absent where there are no instructions for it: it is slow then, and its time tells about keys. */
  readonly aes256?: Aes256 | undefined
}

export const CHACHA_ONLY: Suites = {}

/** What the side that begins offers, as bits: bit n - 1 for suite n. */
export function offerOf({ aes256 }: Suites): number {
  return aes256 === undefined ? 1 : 3
}

/** What the other side takes of these bits: AES-256-GCM where both have it. Undefined for an offer without ChaCha20-Poly1305. */
export function chooseSuite(offer: number | undefined, { aes256 }: Suites): Suite | undefined {
  if (offer === undefined || (offer & 1) === 0) return undefined
  return aes256 !== undefined && (offer & 2) !== 0 ? Suite.aes256Gcm : Suite.chacha20Poly1305
}

/** The suite that the other side chose; undefined unless it was offered. */
export function readSuite(value: number | undefined, { aes256 }: Suites): Suite | undefined {
  if (value === Suite.chacha20Poly1305) return value
  return value === Suite.aes256Gcm && aes256 !== undefined ? value : undefined
}

/** Seals and opens under one key, which is copied. @throws RangeError for a suite that this machine does not compute, or a key that is not 32 bytes */
export function newAead(suite: Suite, key: Uint8Array, suites: Suites): PacketAead {
  return suite === Suite.chacha20Poly1305 ? new ChaChaPackets(key) : aesOf(suites).gcm(key)
}

/** Header protection under one key, which is copied. @throws RangeError as {@link newAead} */
export function newHeaderMask(suite: Suite, key: Uint8Array, suites: Suites): HeaderMask {
  return suite === Suite.chacha20Poly1305 ? new ChaChaMask(key) : aesOf(suites).mask(key)
}

function aesOf({ aes256 }: Suites): Aes256 {
  if (aes256 === undefined) throw new RangeError('AES-256 is not computed here')
  return aes256
}
