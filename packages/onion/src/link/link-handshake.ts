import { type Random, concatBytes, utf8 } from '@weft/core'
import type { X25519KeyPair } from '@weft/crypto'
import { Aead } from '../packet/aead.ts'
import type { Packet } from '../packet/packet.ts'
import { PACKET_SIZE } from '../packet/sizes.ts'
import { NONCE_BYTES, TAG_BYTES } from '../sodium.ts'
import { blake2s } from './blake2s.ts'
import { LinkKeys } from './link-keys.ts'
import { type Kem, NoiseHandshake } from './noise/noise-handshake.ts'
import { IK_HFS } from './noise/pattern.ts'

const PROLOGUE = utf8('weft:link:v1\0')
const INITIATION_KEY = utf8('weft:link:initiation:v1\0')
const RESPONSE_KEY = utf8('weft:link:response:v1\0')
const INITIATION_TYPE = 1
const RESPONSE_TYPE = 2
/** Bit 0 of the suites an initiator offers, and the number a responder answers with: ChaCha20-Poly1305. */
const SUITES_CHACHA = 1
const SUITE_CHACHA = 1
const INITIATION_PAYLOAD = 13
const RESPONSE_PAYLOAD = 5
/** Noise messages of IKhfs with those payloads. */
const INITIATION_MESSAGE = 32 + 1200 + 48 + INITIATION_PAYLOAD + TAG_BYTES
const RESPONSE_MESSAGE = 32 + 1104 + RESPONSE_PAYLOAD + TAG_BYTES
/** Where the response's nonce stands; the initiation's stands at 0. */
const RESPONSE_NONCE = 4

export interface HandshakeOptions {
  /** Of the network file; it is in the prologue, so that two networks never shake hands. */
  readonly networkId: string
  readonly random: Random
  /** Static key pair of this side. */
  readonly keys: X25519KeyPair
  readonly kem?: Kem
}

/** The key that hides initiations to a responder from whoever does not know it. */
export function initiationAead(responderKey: Uint8Array): Aead {
  return new Aead(blake2s(INITIATION_KEY, responderKey))
}

/** The initiator's side of one handshake. */
export class LinkInitiation {
  readonly localIndex: number
  readonly #noise: NoiseHandshake
  #response: Aead | undefined

  /**
   * Writes the initiation into the slot.
   * @param time ms since the epoch, above every earlier one of this key. @throws RangeError when the responder's key is
   *   of low order.
   */
  constructor(options: HandshakeOptions, responderKey: Uint8Array, localIndex: number, time: number, packet: Packet) {
    this.localIndex = localIndex
    this.#noise = noise(options, true, responderKey)
    const payload = new Uint8Array(INITIATION_PAYLOAD)
    const view = new DataView(payload.buffer)
    view.setUint32(0, localIndex)
    view.setBigUint64(4, BigInt(Math.floor(time)))
    view.setUint8(12, SUITES_CHACHA)
    const message = this.#noise.writeMessage(payload)
    if (message === undefined) {
      this.#noise.wipe()
      throw new RangeError("the responder's link key is of low order")
    }
    const hiding = initiationAead(responderKey)
    hide(packet, 0, hiding, INITIATION_TYPE, message, options.random)
    hiding.wipe()
    this.#response = new Aead(blake2s(RESPONSE_KEY, this.#noise.hash))
  }

  /** The link's keys, or undefined when the packet is not the response: the handshake goes on then. */
  readResponse(packet: Packet): LinkKeys | undefined {
    if (this.#response === undefined) return undefined
    const message = unhide(packet, RESPONSE_NONCE, this.#response, RESPONSE_TYPE, RESPONSE_MESSAGE)
    if (message === undefined) return undefined
    const payload = this.#noise.readMessage(message)
    if (payload === undefined) return undefined
    const remoteIndex = new DataView(payload.buffer, payload.byteOffset).getUint32(0)
    const valid = remoteIndex !== 0 && payload[4] === SUITE_CHACHA
    const keys = valid ? this.#keys(remoteIndex) : undefined
    this.wipe()
    return keys
  }

  #keys(remoteIndex: number): LinkKeys {
    const [forward, backward] = this.#noise.split()
    return new LinkKeys(this.localIndex, remoteIndex, forward, backward)
  }

  wipe(): void {
    this.#response?.wipe()
    this.#response = undefined
    this.#noise.wipe()
  }
}

/** An initiation that is authentic; whether it is fresh the caller finds out by `time`. */
export class ReceivedInitiation {
  readonly initiatorKey: Uint8Array
  /** ms since the epoch. */
  readonly time: number
  readonly #remoteIndex: number
  readonly #noise: NoiseHandshake
  readonly #random: Random

  private constructor(noise_: NoiseHandshake, random: Random, initiatorKey: Uint8Array, index: number, time: number) {
    this.#noise = noise_
    this.#random = random
    this.initiatorKey = initiatorKey
    this.#remoteIndex = index
    this.time = time
  }

  /** The Noise message of an initiation, which cost next to nothing yet; undefined when it is none. @param hiding {@link initiationAead} */
  static unhide(hiding: Aead, packet: Packet): Uint8Array | undefined {
    return unhide(packet, 0, hiding, INITIATION_TYPE, INITIATION_MESSAGE)
  }

  /** Undefined when the message is no initiation to the holder of `options.keys`. @param message of {@link unhide} */
  static read(options: HandshakeOptions, message: Uint8Array): ReceivedInitiation | undefined {
    const handshake = noise(options, false, options.keys.publicKey)
    const payload = handshake.readMessage(message)
    const initiatorKey = handshake.remoteStatic
    if (payload !== undefined && payload.length === INITIATION_PAYLOAD && initiatorKey !== undefined) {
      const view = new DataView(payload.buffer, payload.byteOffset)
      const index = view.getUint32(0)
      const time = Number(view.getBigUint64(4))
      if (index !== 0 && (view.getUint8(12) & SUITES_CHACHA) !== 0)
        return new ReceivedInitiation(handshake, options.random, initiatorKey, index, time)
    }
    handshake.wipe()
    return undefined
  }

  /** Writes the response into the slot; undefined when a key in the initiation turns out unfit. */
  respond(localIndex: number, packet: Packet): LinkKeys | undefined {
    const hiding = new Aead(blake2s(RESPONSE_KEY, this.#noise.hash))
    const payload = new Uint8Array(RESPONSE_PAYLOAD)
    new DataView(payload.buffer).setUint32(0, localIndex)
    payload[4] = SUITE_CHACHA
    const message = this.#noise.writeMessage(payload)
    if (message === undefined) {
      hiding.wipe()
      this.#noise.wipe()
      return undefined
    }
    packet.view.setUint32(0, this.#remoteIndex)
    hide(packet, RESPONSE_NONCE, hiding, RESPONSE_TYPE, message, this.#random)
    hiding.wipe()
    const [forward, backward] = this.#noise.split()
    return new LinkKeys(localIndex, this.#remoteIndex, backward, forward)
  }

  /** Forgets a handshake that gets no answer. */
  wipe(): void {
    this.#noise.wipe()
  }
}

function noise(options: HandshakeOptions, initiator: boolean, responderKey: Uint8Array): NoiseHandshake {
  return new NoiseHandshake({
    pattern: IK_HFS,
    initiator,
    prologue: concatBytes([PROLOGUE, utf8(options.networkId)]),
    keys: options.keys,
    responderKey,
    random: options.random,
    ...(options.kem === undefined ? {} : { kem: options.kem }),
  })
}

/** Nonce at `offset`, then type, message and zeros sealed up to the end of the packet. */
function hide(packet: Packet, offset: number, key: Aead, type: number, message: Uint8Array, random: Random): void {
  const nonce = packet.bytes.subarray(offset, offset + NONCE_BYTES)
  nonce.set(random.bytes(NONCE_BYTES))
  const sealed = packet.bytes.subarray(offset + NONCE_BYTES)
  const plain = sealed.subarray(0, sealed.length - TAG_BYTES)
  plain.fill(0)
  plain[0] = type
  plain.set(message, 1)
  key.seal(sealed, plain, undefined, nonce)
}

/** The Noise message of a hidden packet, copied; undefined when it is none of that type. The packet is not changed. */
function unhide(packet: Packet, offset: number, key: Aead, type: number, length: number): Uint8Array | undefined {
  const sealed = packet.bytes.subarray(offset + NONCE_BYTES)
  const plain = new Uint8Array(PACKET_SIZE - offset - NONCE_BYTES - TAG_BYTES)
  if (!key.open(plain, sealed, undefined, packet.bytes.subarray(offset, offset + NONCE_BYTES))) return undefined
  if (plain[0] !== type) return undefined
  for (let at = 1 + length; at < plain.length; at++) if (plain[at] !== 0) return undefined
  return plain.subarray(1, 1 + length)
}
