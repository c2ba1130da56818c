import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type Random, fromHex, toHex } from '@weft/core'
import { kemDecapsulate, kemEncapsulate } from '../../src/ml-kem.ts'
import { CookieReplies } from '../../src/link/cookie-reply.ts'
import { INITIATION_MESSAGE_AT, INITIATION_MESSAGE_END, openInitiation } from '../../src/link/initiation-packet.ts'
import { LinkInitiation, ReceivedInitiation, initiationAead } from '../../src/link/link-handshake.ts'
import type { Kem } from '../../src/link/noise/noise-handshake.ts'
import { Packet } from '../../src/packet/packet.ts'
import { CHACHA_ONLY } from '../../src/packet/suite.ts'
import { x25519PublicKey } from '../../src/sodium.ts'
import { WITH_AES } from '../node-aes.ts'

/** What a link's bytes follow from; hex. `kemSeed` is d ‖ z of FIPS 203, algorithm 16. */
export interface LinkVectorInputs {
  readonly networkId: string
  readonly initiatorSecretKey: string
  readonly responderSecretKey: string
  readonly initiatorEphemeral: string
  readonly responderEphemeral: string
  readonly initiationNonce: string
  readonly responseNonce: string
  /** What a responder under load answers the initiation with, and what the initiator then sends instead. */
  readonly cookie: string
  readonly cookieNonce: string
  readonly kemSeed: string
  readonly initiatorIndex: number
  readonly responderIndex: number
  readonly time: number
  readonly part: number
  readonly circuitId: number
  readonly body: string
  readonly content: string
  /** What both sides compute. */
  readonly suites: readonly ('chacha20-poly1305' | 'aes-256-gcm')[]
  readonly kemCiphertext?: string
  readonly kemSharedKey?: string
}

export interface LinkVectorOutputs {
  readonly kemCiphertext: string
  readonly kemSharedKey: string
  readonly initiation: string
  readonly cookieReply: string
  /** With mac2, and all else as in `initiation`. */
  readonly provenInitiation: string
  /** To `initiation`. */
  readonly response: string
  /** Initiator to responder, counters 0 and 1; responder to initiator, counter 0. */
  readonly cell: string
  readonly message: string
  readonly cellBack: string
}

/** Runs a link from fixed keys and randomness. Encapsulation cannot be fixed, so its result is an input once it is known. */
export function runLinkVector(inputs: LinkVectorInputs): LinkVectorOutputs {
  const pair = (secretKey: string) => ({
    secretKey: fromHex(secretKey),
    publicKey: x25519PublicKey(fromHex(secretKey)),
  })
  const random = (ephemeral: string, nonce: string): Random => ({
    bytes: (length) => fromHex(length === 32 ? ephemeral : nonce),
  })
  let encapsulated = { ciphertext: inputs.kemCiphertext ?? '', sharedKey: inputs.kemSharedKey ?? '' }
  const secretKey = createPrivateKey({
    key: Buffer.from(fromHex(inputs.kemSeed)),
    format: 'raw-seed',
    asymmetricKeyType: 'ml-kem-768',
  })
  const kem: Kem = {
    generate: () => ({ publicKey: createPublicKey(secretKey).export({ format: 'raw-public' }), secretKey }),
    encapsulate: (publicKey) => {
      if (encapsulated.ciphertext === '') {
        const fresh = kemEncapsulate(publicKey)
        if (fresh === undefined) return undefined
        encapsulated = { ciphertext: toHex(fresh.ciphertext), sharedKey: toHex(fresh.sharedKey) }
      }
      return { ciphertext: fromHex(encapsulated.ciphertext), sharedKey: fromHex(encapsulated.sharedKey) }
    },
    decapsulate: kemDecapsulate,
  }
  const suites = inputs.suites.includes('aes-256-gcm') ? WITH_AES : CHACHA_ONLY
  const responder = pair(inputs.responderSecretKey)
  const hex = (packet: Packet): string => toHex(packet.bytes)

  const packet = new Packet()
  const initiate = (cookie?: Uint8Array): LinkInitiation =>
    new LinkInitiation(
      {
        networkId: inputs.networkId,
        keys: pair(inputs.initiatorSecretKey),
        random: random(inputs.initiatorEphemeral, inputs.initiationNonce),
        kem,
        suites,
      },
      {
        responderKey: responder.publicKey,
        localIndex: inputs.initiatorIndex,
        time: inputs.time,
        part: inputs.part,
        cookie,
      },
      packet,
    )
  const initiation = initiate()
  const initiationBytes = hex(packet)
  if (!openInitiation(initiationAead(responder.publicKey), packet))
    throw new Error('the initiation is hidden by another key')
  const initiationMessage = packet.bytes.slice(INITIATION_MESSAGE_AT, INITIATION_MESSAGE_END)
  const reply = new Packet()
  new CookieReplies(responder.publicKey, random('', inputs.cookieNonce)).write(reply, packet, fromHex(inputs.cookie))
  const cookie = initiation.readCookie(reply)
  if (cookie === undefined) throw new Error('the cookie reply was not taken')
  initiate(cookie)
  const provenInitiation = hex(packet)
  const received = ReceivedInitiation.read(
    {
      networkId: inputs.networkId,
      keys: responder,
      random: random(inputs.responderEphemeral, inputs.responseNonce),
      kem,
      suites,
    },
    initiationMessage,
  )
  if (received?.part !== inputs.part) throw new Error('the part is not the one that was said')
  const responderKeys = received?.respond(inputs.responderIndex, packet)
  const responseBytes = hex(packet)
  const initiatorKeys = initiation.readResponse(packet)
  if (initiatorKeys === undefined || responderKeys === undefined) throw new Error('the handshake failed')

  packet.body.set(fromHex(inputs.body))
  initiatorKeys.sealCell(packet, inputs.circuitId)
  const cell = hex(packet)
  packet.content.fill(0)
  packet.content.set(fromHex(inputs.content))
  initiatorKeys.sealMessage(packet, 3, inputs.circuitId)
  const message = hex(packet)
  packet.body.set(fromHex(inputs.body))
  responderKeys.sealCell(packet, inputs.circuitId)
  return {
    kemCiphertext: encapsulated.ciphertext,
    kemSharedKey: encapsulated.sharedKey,
    initiation: initiationBytes,
    cookieReply: hex(reply),
    provenInitiation,
    response: responseBytes,
    cell,
    message,
    cellBack: hex(packet),
  }
}
