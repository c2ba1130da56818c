import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto'
import { type Random, concatBytes, utf8 } from '@weft/core'
import { type X25519KeyPair, x25519KeyPair } from './x25519.ts'

/** Bytes of a tag of AES-GCM. */
const TAG = 16
const NOTHING = new Uint8Array(0)
/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM (RFC 9180, section 7). */
const KEM_SUITE = concatBytes([utf8('KEM'), Uint8Array.of(0, 0x20)])
const SUITE = concatBytes([utf8('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 1)])
const PKCS8_PREFIX = Uint8Array.fromHex('302e020100300506032b656e04220420')
const SPKI_PREFIX = Uint8Array.fromHex('302a300506032b656e032100')

/** What a message is for; both sides must say the same. */
export interface HpkeUse {
  readonly info: Uint8Array
  readonly aad: Uint8Array
}

export interface HpkeMessage {
  /** 32 bytes: the sender's key, made for this message alone. */
  readonly encapsulated: Uint8Array
  /** The plaintext's length and 16 bytes. */
  readonly ciphertext: Uint8Array
}

/**
 * Encrypts one message to an X25519 key: HPKE (RFC 9180), base mode, single shot.
 * @param recipient 32 bytes. @throws Error for a key of low order
 */
export function hpkeSeal(
  recipient: Uint8Array,
  message: HpkeUse & { readonly plaintext: Uint8Array },
  random: Random,
): HpkeMessage {
  const sender = x25519KeyPair(random.bytes(32))
  const dh = agree(sender.secretKey, recipient)
  sender.secretKey.fill(0)
  const { key, nonce } = schedule(secretOf(dh, sender.publicKey, recipient), message.info)
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(message.aad)
  const parts = [cipher.update(message.plaintext), cipher.final()]
  return { encapsulated: sender.publicKey, ciphertext: concatBytes([...parts, cipher.getAuthTag()]) }
}

/** The plaintext; undefined for anything but a message to this key for this use. */
export function hpkeOpen(recipient: X25519KeyPair, message: HpkeUse & HpkeMessage): Uint8Array | undefined {
  const { encapsulated, ciphertext, info, aad } = message
  if (encapsulated.length !== 32 || ciphertext.length < TAG) return undefined
  try {
    const dh = agree(recipient.secretKey, encapsulated)
    const { key, nonce } = schedule(secretOf(dh, encapsulated, recipient.publicKey), info)
    const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAAD(aad)
    decipher.setAuthTag(ciphertext.subarray(ciphertext.length - TAG))
    return concatBytes([decipher.update(ciphertext.subarray(0, ciphertext.length - TAG)), decipher.final()])
  } catch {
    return undefined
  }
}

/** @throws Error when the secret would be zero (RFC 7748, section 6.1) */
function agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return diffieHellman({ privateKey: privateKeyOf(secretKey), publicKey: publicKeyOf(publicKey) })
}

function privateKeyOf(secretKey: Uint8Array): KeyObject {
  const der = Buffer.from(concatBytes([PKCS8_PREFIX, secretKey]).buffer)
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}

function publicKeyOf(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concatBytes([SPKI_PREFIX, publicKey])), format: 'der', type: 'spki' })
}

/** ExtractAndExpand (section 4.1). */
function secretOf(dh: Uint8Array, encapsulated: Uint8Array, recipient: Uint8Array): Uint8Array {
  const prk = extract(KEM_SUITE, NOTHING, 'eae_prk', dh)
  return expand(KEM_SUITE, prk, 'shared_secret', concatBytes([encapsulated, recipient]), 32)
}

/** KeySchedule of the base mode (section 5.1), for the first message of a context. */
function schedule(secret: Uint8Array, info: Uint8Array): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const context = concatBytes([
    Uint8Array.of(0),
    extract(SUITE, NOTHING, 'psk_id_hash', NOTHING),
    extract(SUITE, NOTHING, 'info_hash', info),
  ])
  const prk = extract(SUITE, secret, 'secret', NOTHING)
  return { key: expand(SUITE, prk, 'key', context, 16), nonce: expand(SUITE, prk, 'base_nonce', context, 12) }
}

/** LabeledExtract (section 4). */
function extract(suite: Uint8Array, salt: Uint8Array, label: string, key: Uint8Array): Uint8Array {
  return hmac(salt, [utf8('HPKE-v1'), suite, utf8(label), key])
}

/** LabeledExpand (section 4), to at most the length of one hash. */
function expand(suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  const parts = [Uint8Array.of(length >> 8, length & 255), utf8('HPKE-v1'), suite, utf8(label), info, Uint8Array.of(1)]
  return hmac(prk, parts).slice(0, length)
}

function hmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(concatBytes(parts)).digest())
}
