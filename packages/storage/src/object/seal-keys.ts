import { type Random, concatBytes, utf8 } from '@weft/core'
import { type DidKey, type SigningKey, agreementKeyOf, fromDidKey, hpkeOpen, hpkeSeal, sha256 } from '@weft/crypto'

/** Validators that get the seal key of an object at most: enough that one is left, few enough for each record. */
const MAX_SEAL_KEYS = 16
const KEY = 32
const ENCAPSULATED = 32
const CIPHERTEXT = 48
/** Bytes of one wrapped key: whose it is, the encapsulated key, the ciphertext. */
const WRAPPED = KEY + ENCAPSULATED + CIPHERTEXT
const NO_AAD = new Uint8Array(0)

/**
 * The seal key of an object for those validators that come first for it by rendezvous hashing, so that shards can be made
 * again without their owner (docs/specs/objects.md, Seal keys). Each entry is HPKE to the key of one of them.
 */
export function wrapSealKey(
  sealKey: Uint8Array,
  object: Uint8Array,
  validators: readonly DidKey[],
  random: Random,
): Uint8Array {
  const entries = sealKeyHolders(object, validators).flatMap((id) => {
    const validator = fromDidKey(id)
    const recipient = agreementKeyOf(validator)
    if (recipient === undefined) return []
    const use = { info: infoOf(object, validator), aad: NO_AAD }
    const { encapsulated, ciphertext } = hpkeSeal(recipient, { ...use, plaintext: sealKey }, random)
    return [validator, encapsulated, ciphertext]
  })
  return concatBytes(entries)
}

/** Whom the seal key of an object goes to, first the one that comes first. */
export function sealKeyHolders(object: Uint8Array, validators: readonly DidKey[]): DidKey[] {
  const rank = (id: DidKey): string => sha256(utf8('weft:seal-key-holders:v1\0'), object, utf8(id)).toHex()
  const ranked = validators.map((id) => ({ id, rank: rank(id) }))
  // Hexadecimal sorts as the numbers do.
  ranked.sort((a, b) => (a.rank < b.rank ? 1 : -1))
  return ranked.slice(0, MAX_SEAL_KEYS).map(({ id }) => id)
}

/** Whether these bytes are wrapped keys, each for another validator; empty when nobody has one. */
export function areSealKeys(bytes: Uint8Array): boolean {
  const count = bytes.length / WRAPPED
  if (!Number.isInteger(count) || count > MAX_SEAL_KEYS) return false
  return new Set(entriesOf(bytes).map(({ validator }) => validator.toHex())).size === count
}

/** The seal key as a head has it for this node; undefined when it has none that opens. */
export function openSealKey(bytes: Uint8Array, object: Uint8Array, key: SigningKey): Uint8Array | undefined {
  const hex = key.publicKey.toHex()
  const entry = entriesOf(bytes).find(({ validator }) => validator.toHex() === hex)
  if (entry === undefined) return undefined
  const pair = key.agreementKeyPair()
  try {
    const sealKey = hpkeOpen(pair, { info: infoOf(object, key.publicKey), aad: NO_AAD, ...entry })
    return sealKey?.length === KEY ? sealKey : undefined
  } finally {
    pair.secretKey.fill(0)
  }
}

interface Entry {
  readonly validator: Uint8Array
  readonly encapsulated: Uint8Array
  readonly ciphertext: Uint8Array
}

function entriesOf(bytes: Uint8Array): Entry[] {
  return Array.from({ length: Math.floor(bytes.length / WRAPPED) }, (_, at) => {
    const entry = bytes.subarray(at * WRAPPED, (at + 1) * WRAPPED)
    return {
      validator: entry.subarray(0, KEY),
      encapsulated: entry.subarray(KEY, KEY + ENCAPSULATED),
      ciphertext: entry.subarray(KEY + ENCAPSULATED),
    }
  })
}

function infoOf(object: Uint8Array, validator: Uint8Array): Uint8Array {
  return concatBytes([utf8('weft:seal-key:v1\0'), object, validator])
}
