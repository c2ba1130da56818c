import { Aead, type PacketAead } from './aead.ts'

/** Ciphers that a hop and its client may seal the layers between them with (docs/specs/packets.md, Suites). */
export const Suite = { chacha20Poly1305: 1, aes256Gcm: 2 } as const

export type Suite = (typeof Suite)[keyof typeof Suite]

/** What this machine computes beside ChaCha20-Poly1305, which all do. */
export interface Suites {
  /** AES-256-GCM under a key, which it copies; absent where there are no instructions for it: it is slow then, and its time tells about keys. */
  readonly aes256Gcm?: ((key: Uint8Array) => PacketAead) | undefined
}

export const CHACHA_ONLY: Suites = {}

/** What a client offers, as bits: bit n - 1 for suite n. */
export function offerOf({ aes256Gcm }: Suites): number {
  return aes256Gcm === undefined ? 1 : 3
}

/** The suite of a hop that was offered these bits: AES-256-GCM where both sides have it. Undefined for an offer without ChaCha20-Poly1305. */
export function chooseSuite(offer: number | undefined, { aes256Gcm }: Suites): Suite | undefined {
  if (offer === undefined || (offer & 1) === 0) return undefined
  return aes256Gcm !== undefined && (offer & 2) !== 0 ? Suite.aes256Gcm : Suite.chacha20Poly1305
}

/** The suite that a hop chose; undefined unless it was offered. */
export function readSuite(value: number | undefined, { aes256Gcm }: Suites): Suite | undefined {
  if (value === Suite.chacha20Poly1305) return value
  return value === Suite.aes256Gcm && aes256Gcm !== undefined ? value : undefined
}

/** Seals and opens under one key, which is copied. @throws RangeError for a suite that this machine does not compute, or a key that is not 32 bytes */
export function newAead(suite: Suite, key: Uint8Array, { aes256Gcm }: Suites): PacketAead {
  if (suite === Suite.chacha20Poly1305) return new Aead(key)
  if (aes256Gcm === undefined) throw new RangeError('AES-256-GCM is not computed here')
  return aes256Gcm(key)
}
