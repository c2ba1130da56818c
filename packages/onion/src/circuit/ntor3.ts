import { fromUtf8, utf8 } from '@weft/core'
import { deriveKeys, taggedHash, taggedMac, withLength } from './ntor3-functions.ts'

/** What both sides know once the first message is there. Lengths are fixed by the callers' codecs. */
export interface Ntor3First {
  /** P, the name of the variant of the protocol. */
  readonly protocolId: Uint8Array
  /** ID of the hop. */
  readonly nodeId: Uint8Array
  /** B, the hop's onion key. */
  readonly onionKey: Uint8Array
  /** X, the client's ephemeral key. */
  readonly clientKey: Uint8Array
  /** ek, the client's key of the KEM; empty in Tor's own ntor-v3. */
  readonly kemKey: Uint8Array
  /** VER: what else the two sides must agree on. */
  readonly verification: Uint8Array
}

/** What both sides know once the second message is there. */
export interface Ntor3Second extends Ntor3First {
  /** Y, the hop's ephemeral key. */
  readonly serverKey: Uint8Array
  /** ct, the KEM's ciphertext; empty in Tor's own ntor-v3. */
  readonly kemCiphertext: Uint8Array
}

/** The parts of the secret, in the order they are hashed: KEM's T, X25519(x, Y), X25519(x, B). */
export interface Ntor3Secrets {
  readonly kem: Uint8Array
  readonly ephemeral: Uint8Array
  readonly onion: Uint8Array
}

const SERVER = utf8('Server')

const tag = (protocolId: Uint8Array, name: string): string => `${fromUtf8(protocolId)}:${name}`

/** Keys of the client's message, from X25519(x, B) (Tor's ntor-v3, first phase). */
export function firstKeys(
  onionSecret: Uint8Array,
  first: Ntor3First,
): { encryptionKey: Uint8Array; macKey: Uint8Array } {
  const { protocolId, nodeId, clientKey, onionKey, kemKey, verification } = first
  const [encryptionKey, macKey] = deriveKeys(
    [onionSecret, nodeId, clientKey, onionKey, kemKey, protocolId, withLength(verification)],
    tag(protocolId, 'kdf_phase1'),
    2,
  ) as [Uint8Array, Uint8Array]
  return { encryptionKey, macKey }
}

/** MAC of the first message. */
export function firstMac(macKey: Uint8Array, first: Ntor3First, encryptedMessage: Uint8Array): Uint8Array {
  const { protocolId, nodeId, onionKey, clientKey, kemKey } = first
  return taggedMac(macKey, [nodeId, onionKey, clientKey, kemKey, encryptedMessage], tag(protocolId, 'msg_mac'))
}

/** The seed of all keys and the key that the hop proves itself with. */
export function secondKeys(secrets: Ntor3Secrets, second: Ntor3Second): { keySeed: Uint8Array; verifyKey: Uint8Array } {
  const { protocolId, nodeId, onionKey, clientKey, serverKey, kemKey, kemCiphertext, verification } = second
  const secret = [
    secrets.kem,
    secrets.ephemeral,
    secrets.onion,
    nodeId,
    onionKey,
    clientKey,
    serverKey,
    kemKey,
    kemCiphertext,
    protocolId,
    withLength(verification),
  ]
  return {
    keySeed: taggedHash(secret, tag(protocolId, 'key_seed')),
    verifyKey: taggedHash(secret, tag(protocolId, 'verify')),
  }
}

/** AUTH, by which the client knows that it spoke to the holder of the onion key and that nothing was changed. */
export function authenticator(
  verifyKey: Uint8Array,
  second: Ntor3Second,
  macOfFirst: Uint8Array,
  encryptedReply: Uint8Array,
): Uint8Array {
  const { protocolId, nodeId, onionKey, serverKey, clientKey, kemCiphertext } = second
  return taggedHash(
    [
      verifyKey,
      nodeId,
      onionKey,
      serverKey,
      clientKey,
      kemCiphertext,
      macOfFirst,
      withLength(encryptedReply),
      protocolId,
      SERVER,
    ],
    tag(protocolId, 'auth_final'),
  )
}

/** `count` keys of 32 bytes; the first is that of the hop's message, the others belong to the layer. */
export function finalKeys(keySeed: Uint8Array, protocolId: Uint8Array, count: number): Uint8Array[] {
  return deriveKeys([keySeed], tag(protocolId, 'kdf_final'), count)
}
