import { equalBytes, type Random } from '@weft/core'
import { equalConstantTime, type X25519KeyPair } from '@weft/crypto'
import { type Suites, chooseSuite } from '../packet/suite.ts'
import { wipe, x25519 } from '../sodium.ts'
import { generateX25519 } from '../x25519.ts'
import { type CircuitKeys } from './circuit-keys.ts'
import { EARLY_REFUSED, readClientMessage } from './client-message.ts'
import { type EarlyGate } from './early-gate.ts'
import { decodeFirstMessage, encodeSecondMessage, KEY_ID_BYTES } from './handshake-message.ts'
import { kemEncapsulate, type KemResult } from '../ml-kem.ts'
import { authenticator, finalKeys, firstKeys, firstMac, secondKeys } from './ntor3.ts'
import { encryptOnce } from './ntor3-functions.ts'
import { PROTOCOL_ID } from './protocol-id.ts'
import { type CircuitPurpose } from './purpose.ts'
import { CircuitReason } from './reasons.ts'
import { type ClientKeyMemory } from './seen-client-keys.ts'
import { circuitVerification } from './verification.ts'

export interface ServerHandshakeOptions {
  readonly networkId: string
  readonly nodeId: Uint8Array
  /** Several while they rotate. */
  readonly onionKeys: readonly X25519KeyPair[]
  /** As said by whoever asks; the handshake fails when the client meant another. */
  readonly depth: number
  readonly suites: Suites
  readonly seen: ClientKeyMemory
  /** Of early keys; none is taken when left out. */
  readonly gate?: Pick<EarlyGate, 'takes'>
  readonly random: Random
  /** Fixed ephemeral key and KEM result, for test vectors; fresh ones when left out. */
  readonly ephemeral?: { readonly x25519: X25519KeyPair; readonly kem: KemResult }
}

export interface ServerHandshake {
  readonly answer: Uint8Array
  readonly purpose: CircuitPurpose
  readonly keys: CircuitKeys
  /** Of units that the client sends before it has the answer, if it does and they are taken. */
  readonly earlyKey: Uint8Array | undefined
}

/**
 * The hop's side of the hybrid ntor-v3 handshake: everything but the answer to be sent.
 * @returns the result, or the reason of the refusal ({@link CircuitReason}): malformed or handshakeRefused.
 */
export function answerHandshake(message: Uint8Array, options: ServerHandshakeOptions): ServerHandshake | number {
  const asked = decodeFirstMessage(message)
  if (asked === undefined) return CircuitReason.malformed
  const onion = options.onionKeys.find((pair) => equalBytes(pair.publicKey.subarray(0, KEY_ID_BYTES), asked.keyId))
  if (onion === undefined || !equalBytes(asked.nodeId, options.nodeId)) return CircuitReason.handshakeRefused
  const onionSecret = x25519(onion.secretKey, asked.clientKey)
  if (onionSecret === undefined) return CircuitReason.handshakeRefused
  const first = {
    protocolId: PROTOCOL_ID,
    nodeId: options.nodeId,
    onionKey: onion.publicKey,
    clientKey: asked.clientKey,
    kemKey: asked.kemKey,
    verification: circuitVerification(options.networkId, options.depth),
  }
  const { encryptionKey, macKey } = firstKeys(onionSecret, first)
  const mac = firstMac(macKey, first, asked.encrypted)
  const told = encryptOnce(encryptionKey, asked.encrypted)
  wipe(encryptionKey, macKey)
  const clientMessage = readClientMessage(told)
  wipe(told)
  const suite = chooseSuite(clientMessage?.offer, options.suites)
  // Remembered only after the MAC, so that keys nobody used cannot push others out of the memory.
  const refused = equalConstantTime(mac, asked.mac)
    ? clientMessage === undefined || suite === undefined
      ? CircuitReason.malformed
      : options.seen.remember(onion.publicKey, asked.clientKey)
        ? undefined
        : CircuitReason.handshakeRefused
    : CircuitReason.handshakeRefused
  if (refused !== undefined || clientMessage === undefined || suite === undefined) {
    wipe(onionSecret, mac)
    if (clientMessage?.early !== undefined) wipe(clientMessage.early.key)
    return refused ?? CircuitReason.malformed
  }
  const own = options.ephemeral?.x25519 ?? generateX25519(options.random)
  const ephemeral = x25519(own.secretKey, asked.clientKey)
  const kem = options.ephemeral?.kem ?? kemEncapsulate(asked.kemKey)
  if (ephemeral === undefined || kem === undefined) {
    wipe(onionSecret, own.secretKey)
    if (clientMessage.early !== undefined) wipe(clientMessage.early.key)
    if (ephemeral !== undefined) wipe(ephemeral)
    if (kem !== undefined) wipe(kem.sharedKey)
    return CircuitReason.handshakeRefused
  }
  const second = { ...first, serverKey: own.publicKey, kemCiphertext: kem.ciphertext }
  const { keySeed, verifyKey } = secondKeys({ kem: kem.sharedKey, ephemeral, onion: onionSecret }, second)
  const [messageKey, forward, backward] = finalKeys(keySeed, PROTOCOL_ID, 3) as [Uint8Array, Uint8Array, Uint8Array]
  const { purpose, early } = clientMessage
  const takesEarly = early !== undefined && options.gate?.takes(early.time) === true
  if (early !== undefined && !takesEarly) wipe(early.key)
  const refusal = early === undefined || takesEarly ? 0 : EARLY_REFUSED
  const encrypted = encryptOnce(messageKey, Uint8Array.of(suite | refusal))
  const auth = authenticator(verifyKey, second, mac, encrypted)
  wipe(onionSecret, own.secretKey, ephemeral, kem.sharedKey, keySeed, verifyKey, messageKey)
  const answer = encodeSecondMessage({ serverKey: own.publicKey, kemCiphertext: kem.ciphertext, auth, encrypted })
  return { answer, purpose, keys: { suite, forward, backward }, earlyKey: takesEarly ? early.key : undefined }
}
