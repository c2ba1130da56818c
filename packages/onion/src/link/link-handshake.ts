import { type Random, concatBytes, utf8 } from '@weft/core'
import type { X25519KeyPair } from '@weft/crypto'
import { Aead } from '../packet/aead.ts'
import type { Packet } from '../packet/packet.ts'
import { CHACHA_ONLY, type Suite, type Suites, chooseSuite, offerOf, readSuite } from '../packet/suite.ts'
import { TAG_BYTES } from '../sodium.ts'
import { blake2s } from './blake2s.ts'
import { CookieReplies } from './cookie-reply.ts'
import { readHiddenReply, writeHiddenReply } from './hidden-reply.ts'
import { INITIATION_PAYLOAD, initiationTag, writeInitiation } from './initiation-packet.ts'
import { LinkKeys } from './link-keys.ts'
import { type Kem, NoiseHandshake } from './noise/noise-handshake.ts'
import { IK_HFS } from './noise/pattern.ts'

const PROLOGUE = utf8('weft:link:v1\0')
const INITIATION_KEY = utf8('weft:link:initiation:v1\0')
const RESPONSE_KEY = utf8('weft:link:response:v1\0')
const RESPONSE_TYPE = 2
/** Upper half of the byte that offers suites: which part of the initiator. */
const PART_SHIFT = 4
const OFFER = 0x0f
/** Parts that a member may have: packet workers, each with links of its own. */
export const MAX_PARTS = 16
const RESPONSE_PAYLOAD = 5
/** Noise's second message of IKhfs with that payload. */
const RESPONSE_MESSAGE = 32 + 1104 + RESPONSE_PAYLOAD + TAG_BYTES

export interface HandshakeOptions {
  /** Of the network file; it is in the prologue, so that two networks never shake hands. */
  readonly networkId: string
  readonly random: Random
  /** Static key pair of this side. */
  readonly keys: X25519KeyPair
  readonly kem?: Kem
  /** What packets of the link may be sealed with; ChaCha20-Poly1305 alone when left out. */
  readonly suites?: Suites
}

/** The key that hides initiations to a responder from whoever does not know it. */
export function initiationAead(responderKey: Uint8Array): Aead {
  return new Aead(blake2s(INITIATION_KEY, responderKey))
}

/** What an initiator says of itself, beside its keys. */
export interface InitiationInput {
  readonly responderKey: Uint8Array
  readonly localIndex: number
  /** ms since the epoch, above every earlier one of this key. */
  readonly time: number
  /** Which part of the initiator makes the link, below {@link MAX_PARTS}; 0 where it has one only. */
  readonly part: number
  /** Of the responder, when it asked for it. */
  readonly cookie?: Uint8Array | undefined
}

/** The initiator's side of one handshake. */
export class LinkInitiation {
  readonly localIndex: number
  readonly #noise: NoiseHandshake
  readonly #random: Random
  readonly #responderKey: Uint8Array
  readonly #suites: Suites
  readonly #tag: Uint8Array
  #response: Aead | undefined
  #tookCookie = false

  /** Writes the initiation into the slot. @throws RangeError when the responder's key is of low order. */
  constructor(options: HandshakeOptions, input: InitiationInput, packet: Packet) {
    const { responderKey, localIndex, time, part, cookie } = input
    this.localIndex = localIndex
    this.#random = options.random
    this.#responderKey = responderKey
    this.#suites = options.suites ?? CHACHA_ONLY
    this.#noise = noise(options, true, responderKey)
    const payload = new Uint8Array(INITIATION_PAYLOAD)
    const view = new DataView(payload.buffer)
    view.setUint32(0, localIndex)
    view.setBigUint64(4, BigInt(Math.floor(time)))
    view.setUint8(12, offerOf(this.#suites) | (part << PART_SHIFT))
    const message = this.#noise.writeMessage(payload)
    if (message === undefined) {
      this.#noise.wipe()
      throw new RangeError("the responder's link key is of low order")
    }
    const hiding = initiationAead(responderKey)
    writeInitiation(packet, hiding, { index: localIndex, noise: message, cookie }, options.random)
    hiding.wipe()
    this.#tag = initiationTag(packet).slice()
    this.#response = new Aead(blake2s(RESPONSE_KEY, this.#noise.hash))
  }

  /** The link's keys, or undefined when the packet is not the response: the handshake goes on then. */
  readResponse(packet: Packet): LinkKeys | undefined {
    if (this.#response === undefined) return undefined
    const message = readHiddenReply(packet, this.#response, undefined, RESPONSE_TYPE, RESPONSE_MESSAGE)
    if (message === undefined) return undefined
    const payload = this.#noise.readMessage(message)
    if (payload === undefined) return undefined
    const remoteIndex = new DataView(payload.buffer, payload.byteOffset).getUint32(0)
    const suite = readSuite(payload[4], this.#suites)
    const keys = remoteIndex === 0 || suite === undefined ? undefined : this.#keys(remoteIndex, suite)
    this.wipe()
    return keys
  }

  /** The cookie that the responder wants to see, once; undefined when the packet is no reply to this initiation. */
  readCookie(packet: Packet): Uint8Array | undefined {
    if (this.#tookCookie || this.#response === undefined) return undefined
    const replies = new CookieReplies(this.#responderKey, this.#random)
    const cookie = replies.read(packet, this.#tag)
    replies.wipe()
    this.#tookCookie = cookie !== undefined
    return cookie
  }

  #keys(remoteIndex: number, suite: Suite): LinkKeys {
    const [send, receive] = this.#noise.split()
    return new LinkKeys({ localIndex: this.localIndex, remoteIndex, send, receive, suite }, this.#suites)
  }

  wipe(): void {
    this.#response?.wipe()
    this.#response = undefined
    this.#noise.wipe()
  }
}

/** What an initiation says, and what is chosen of its offer. */
interface Said {
  readonly initiatorKey: Uint8Array
  readonly index: number
  readonly time: number
  readonly part: number
  readonly suite: Suite
}

/** An initiation that is authentic; whether it is fresh the caller finds out by `time`. */
export class ReceivedInitiation {
  readonly initiatorKey: Uint8Array
  /** ms since the epoch. */
  readonly time: number
  readonly part: number
  readonly #remoteIndex: number
  readonly #suite: Suite
  readonly #noise: NoiseHandshake
  readonly #options: HandshakeOptions

  private constructor(noise_: NoiseHandshake, options: HandshakeOptions, said: Said) {
    this.#noise = noise_
    this.#options = options
    this.#suite = said.suite
    this.initiatorKey = said.initiatorKey
    this.#remoteIndex = said.index
    this.time = said.time
    this.part = said.part
  }

  /** Undefined when the message is no initiation to the holder of `options.keys`. @param message index 4 ‖ Noise message */
  static read(options: HandshakeOptions, message: Uint8Array): ReceivedInitiation | undefined {
    const handshake = noise(options, false, options.keys.publicKey)
    const payload = handshake.readMessage(message.subarray(4))
    const initiatorKey = handshake.remoteStatic
    if (payload !== undefined && payload.length === INITIATION_PAYLOAD && initiatorKey !== undefined) {
      const view = new DataView(payload.buffer, payload.byteOffset)
      const index = view.getUint32(0)
      const time = Number(view.getBigUint64(4))
      const named = new DataView(message.buffer, message.byteOffset).getUint32(0)
      const offer = view.getUint8(12)
      const part = offer >> PART_SHIFT
      const suite = chooseSuite(offer & OFFER, options.suites ?? CHACHA_ONLY)
      if (index !== 0 && index === named && suite !== undefined)
        return new ReceivedInitiation(handshake, options, { initiatorKey, index, time, part, suite })
    }
    handshake.wipe()
    return undefined
  }

  /** Writes the response into the slot; undefined when a key in the initiation turns out unfit. */
  respond(localIndex: number, packet: Packet): LinkKeys | undefined {
    const hiding = new Aead(blake2s(RESPONSE_KEY, this.hash))
    const payload = new Uint8Array(RESPONSE_PAYLOAD)
    new DataView(payload.buffer).setUint32(0, localIndex)
    payload[4] = this.#suite
    const message = this.#noise.writeMessage(payload)
    if (message === undefined) {
      hiding.wipe()
      this.#noise.wipe()
      return undefined
    }
    const reply = { index: this.#remoteIndex, type: RESPONSE_TYPE, content: message }
    writeHiddenReply(packet, hiding, undefined, reply, this.#options.random)
    hiding.wipe()
    const [receive, send] = this.#noise.split()
    const agreed = { localIndex, remoteIndex: this.#remoteIndex, send, receive, suite: this.#suite }
    return new LinkKeys(agreed, this.#options.suites ?? CHACHA_ONLY)
  }

  /** Handshake hash h after the first message. */
  get hash(): Uint8Array {
    return this.#noise.hash
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
