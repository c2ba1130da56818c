import { type Random, equalBytes } from '@weft/core'
import { equalConstantTime } from '@weft/crypto'
import type { Aead } from '../packet/aead.ts'
import type { Packet } from '../packet/packet.ts'
import { PACKET_SIZE } from '../packet/sizes.ts'
import { NONCE_BYTES, TAG_BYTES, blake2bMac } from '../sodium.ts'

/** The packet of an initiation (docs/specs/packets.md, Link): nonce 12 ‖ sealed: type 1 ‖ index 4 ‖ Noise message ‖ zeros ‖ mac2 16 ‖ tag 16. */

const TYPE = 1
const INDEX_BYTES = 4
export const INITIATION_PAYLOAD = 13
/** Noise's first message of IKhfs with that payload. */
const INITIATION_NOISE = 32 + 1200 + 48 + INITIATION_PAYLOAD + TAG_BYTES
const MAC2_BYTES = 16
const TAG_AT = PACKET_SIZE - TAG_BYTES
const MAC2_AT = TAG_AT - MAC2_BYTES
/** Index and Noise message, which are what a responder looks into. */
export const INITIATION_MESSAGE_AT = NONCE_BYTES + 1
export const INITIATION_MESSAGE_END = INITIATION_MESSAGE_AT + INDEX_BYTES + INITIATION_NOISE
const NO_MAC2 = new Uint8Array(MAC2_BYTES)
const MAC2 = new Uint8Array(MAC2_BYTES)

export interface InitiationPacket {
  readonly index: number
  readonly noise: Uint8Array
  /** Of the responder; none before it asked for one. */
  readonly cookie: Uint8Array | undefined
}

/** Writes an initiation into the slot. @param hiding of the responder's key */
export function writeInitiation(packet: Packet, hiding: Aead, message: InitiationPacket, random: Random): void {
  const { bytes, view } = packet
  bytes.fill(0)
  packet.nonce.set(random.bytes(NONCE_BYTES))
  bytes[NONCE_BYTES] = TYPE
  view.setUint32(INITIATION_MESSAGE_AT, message.index)
  bytes.set(message.noise, INITIATION_MESSAGE_AT + INDEX_BYTES)
  if (message.cookie !== undefined) {
    writeMac2(bytes, message.cookie)
    bytes.set(MAC2, MAC2_AT)
  }
  hiding.seal(packet.messageSealed, packet.messagePlain, undefined, packet.nonce)
}

/**
 * Opens an initiation in place. False when it is none: who made it does not know the responder's key, of which the tag is the proof
 * (WireGuard's mac1). What was no initiation is spoilt.
 */
export function openInitiation(hiding: Aead, packet: Packet): boolean {
  const { bytes } = packet
  if (!hiding.open(packet.messagePlain, packet.messageSealed, undefined, packet.nonce)) return false
  if (bytes[NONCE_BYTES] !== TYPE) return false
  for (let at = INITIATION_MESSAGE_END; at < MAC2_AT; at++) if (bytes[at] !== 0) return false
  return true
}

/** Whether an opened initiation has the mac2 of this cookie (WireGuard's paper, section 5.4.4). */
export function isProven({ bytes }: Packet, cookie: Uint8Array): boolean {
  const mac2 = bytes.subarray(MAC2_AT, TAG_AT)
  // Most of a flood have none, and cost nothing then.
  if (equalBytes(mac2, NO_MAC2)) return false
  writeMac2(bytes, cookie)
  return equalConstantTime(mac2, MAC2)
}

/** What the sender of an initiation wants to be called, of one that is opened. */
export function initiationIndex({ view }: Packet): number {
  return view.getUint32(INITIATION_MESSAGE_AT)
}

/** The tag of an initiation, sealed or opened: a view. */
export function initiationTag({ bytes }: Packet): Uint8Array {
  return bytes.subarray(TAG_AT)
}

/** Into {@link MAC2}: over the nonce and all that is sealed before it. */
function writeMac2(bytes: Uint8Array, cookie: Uint8Array): void {
  blake2bMac(MAC2, bytes.subarray(0, MAC2_AT), cookie)
}
