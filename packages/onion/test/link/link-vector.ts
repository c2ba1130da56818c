import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type Random, fromHex, toHex } from '@weft/core'
import { kemDecapsulate, kemEncapsulate } from '../../src/ml-kem.ts'
import { LinkInitiation, ReceivedInitiation, initiationAead } from '../../src/link/link-handshake.ts'
import type { Kem } from '../../src/link/noise/noise-handshake.ts'
import { Packet } from '../../src/packet/packet.ts'
import { x25519PublicKey } from '../../src/sodium.ts'

/** What a link's bytes follow from; hex. `kemSeed` is d ‖ z of FIPS 203, algorithm 16. */
export interface LinkVectorInputs {
  readonly networkId: string
  readonly initiatorSecretKey: string
  readonly responderSecretKey: string
  readonly initiatorEphemeral: string
  readonly responderEphemeral: string
  readonly initiationNonce: string
  readonly responseNonce: string
  readonly kemSeed: string
  readonly initiatorIndex: number
  readonly responderIndex: number
  readonly time: number
  readonly circuitId: number
  readonly body: string
  readonly content: string
  readonly kemCiphertext?: string
  readonly kemSharedKey?: string
}

export interface LinkVectorOutputs {
  readonly kemCiphertext: string
  readonly kemSharedKey: string
  readonly initiation: string
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
  const responder = pair(inputs.responderSecretKey)
  const hex = (packet: Packet): string => toHex(packet.bytes)

  const packet = new Packet()
  const initiation = new LinkInitiation(
    {
      networkId: inputs.networkId,
      keys: pair(inputs.initiatorSecretKey),
      random: random(inputs.initiatorEphemeral, inputs.initiationNonce),
      kem,
    },
    responder.publicKey,
    inputs.initiatorIndex,
    inputs.time,
    packet,
  )
  const initiationBytes = hex(packet)
  const initiationMessage = ReceivedInitiation.unhide(initiationAead(responder.publicKey), packet)
  if (initiationMessage === undefined) throw new Error('the initiation is hidden by another key')
  const received = ReceivedInitiation.read(
    {
      networkId: inputs.networkId,
      keys: responder,
      random: random(inputs.responderEphemeral, inputs.responseNonce),
      kem,
    },
    initiationMessage,
  )
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
    response: responseBytes,
    cell,
    message,
    cellBack: hex(packet),
  }
}
