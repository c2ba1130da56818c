import type { Random } from '@weft/core'
import type { Aead } from '../packet/aead.ts'
import type { Packet } from '../packet/packet.ts'
import { PACKET_SIZE } from '../packet/sizes.ts'
import { NONCE_BYTES, TAG_BYTES } from '../sodium.ts'

/**
 * The form of what answers an initiation (docs/specs/packets.md, Link): receiver index 4 ‖ nonce 12 ‖ sealed: type 1 ‖ content ‖
 * zeros ‖ tag 16. So nobody outside tells a response from a cookie reply, nor either from other packets.
 */
const NONCE_AT = 4
const SEALED_AT = NONCE_AT + NONCE_BYTES
const PLAIN_BYTES = PACKET_SIZE - SEALED_AT - TAG_BYTES

export interface HiddenReply {
  readonly index: number
  readonly type: number
  readonly content: Uint8Array
}

/** Writes a reply into the slot. */
export function writeHiddenReply(
  packet: Packet,
  key: Aead,
  additional: Uint8Array | undefined,
  { index, type, content }: HiddenReply,
  random: Random,
): void {
  const { bytes, view } = packet
  bytes.fill(0)
  view.setUint32(0, index)
  const nonce = bytes.subarray(NONCE_AT, SEALED_AT)
  nonce.set(random.bytes(NONCE_BYTES))
  bytes[SEALED_AT] = type
  bytes.set(content, SEALED_AT + 1)
  key.seal(bytes.subarray(SEALED_AT), bytes.subarray(SEALED_AT, SEALED_AT + PLAIN_BYTES), additional, nonce)
}

/** The content of `length` bytes, copied; undefined when it is no such reply. The packet is not changed. */
export function readHiddenReply(
  packet: Packet,
  key: Aead,
  additional: Uint8Array | undefined,
  type: number,
  length: number,
): Uint8Array | undefined {
  const { bytes } = packet
  const plain = new Uint8Array(PLAIN_BYTES)
  if (!key.open(plain, bytes.subarray(SEALED_AT), additional, bytes.subarray(NONCE_AT, SEALED_AT))) return undefined
  if (plain[0] !== type) return undefined
  for (let at = 1 + length; at < plain.length; at++) if (plain[at] !== 0) return undefined
  return plain.subarray(1, 1 + length)
}
