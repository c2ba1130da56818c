import { WeftError, toHex } from '@weft/core'
import { fromBase58, toBase58 } from './base58.ts'

/**
 * A public Ed25519 key as text: `did:key:z6Mk…` (W3C Credentials Community Group, The did:key Method; multicodec 0xed01,
 * multibase base58btc; docs/specs/encodings.md, Ids).
 */
export type DidKey = `did:key:z${string}`

const ED25519_PREFIX = [0xed, 0x01] as const

/** Ids that are kept, so that those of the nodes around need not be worked out with each message that names them: 5 µs. */
const MOST_KEPT = 4_096

/** By the key in hex. */
const kept = new Map<string, DidKey>()

/** @param publicKey 32 raw bytes. */
export function toDidKey(publicKey: Uint8Array): DidKey {
  if (publicKey.length !== 32) throw new RangeError(`did:key: an Ed25519 key has 32 bytes, got ${publicKey.length}`)
  const hex = toHex(publicKey)
  let id = kept.get(hex)
  if (id === undefined) {
    const bytes = new Uint8Array(34)
    bytes.set(ED25519_PREFIX)
    bytes.set(publicKey, 2)
    id = `did:key:z${toBase58(bytes)}`
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(hex, id)
  }
  return id
}

/** @throws WeftError E_DID_INVALID on anything but an Ed25519 did:key in canonical form. */
export function fromDidKey(text: string): Uint8Array {
  // An Ed25519 did:key has 56 characters; anything much longer is not worth decoding.
  if (text.startsWith('did:key:z') && text.length <= 64) {
    try {
      const bytes = fromBase58(text.slice('did:key:z'.length))
      if (bytes.length === 34 && bytes[0] === ED25519_PREFIX[0] && bytes[1] === ED25519_PREFIX[1]) return bytes.slice(2)
    } catch {
      // Falls through to the one error below.
    }
  }
  throw new WeftError({
    code: 'E_DID_INVALID',
    cause: `'${text.slice(0, 80)}' is not the id of a node or person.`,
    fix: 'Give an id of the form did:key:z6Mk… as `weft id` or `weft members` prints it.',
  })
}

export function isDidKey(text: string): text is DidKey {
  try {
    fromDidKey(text)
    return true
  } catch {
    return false
  }
}

/** A short form for people and logs: the last eight characters of the did:key. Never used to decide anything. */
export function shortId(id: string): string {
  return id.slice(-8)
}

/** The key of a Map or a store for raw public keys. */
export function publicKeyHex(publicKey: Uint8Array): string {
  return toHex(publicKey)
}
