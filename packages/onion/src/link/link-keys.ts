import { utf8 } from '@weft/core'
import { Aead } from '../packet/aead.ts'
import type { Packet } from '../packet/packet.ts'
import { ReplayWindow } from '../packet/replay-window.ts'
import { chacha20Xor, wipe } from '../sodium.ts'
import { expandKey } from './blake2s.ts'
import { CIRCUIT_ID_AT, COMMAND_AT, LinkCommand, commandWord } from './link-command.ts'
import { REJECT_AFTER_PACKETS } from './timing.ts'

const PACKET_INFO = utf8('weft:link:packet:v1')
const HEADER_INFO = utf8('weft:link:header:v1')
const TWO_POW_32 = 2 ** 32
/** Bit 63 of the counter, in its upper half: set in a message, clear in a cell. */
const MESSAGE_BIT = 0x8000_0000

/** What {@link LinkKeys.open} found. */
export type Opened = 'cell' | 'message' | 'not authentic' | 'replayed'

/** Keys of one direction: AEAD, and the header protection's. */
class DirectionKeys {
  readonly packet: Aead
  readonly header: Uint8Array

  /** @param secret one of the two of Split(); it is wiped. */
  constructor(secret: Uint8Array) {
    const packet = expandKey(secret, PACKET_INFO)
    this.packet = new Aead(packet)
    this.header = expandKey(secret, HEADER_INFO)
    wipe(packet, secret)
  }

  wipe(): void {
    this.packet.wipe()
    wipe(this.header)
  }
}

/**
 * Keys of a link that one handshake agreed on, with the counters that belong to them. Seals and opens packets in place;
 * knows nothing of time. Nothing is allocated per packet.
 */
export class LinkKeys {
  /** By what the other side calls this one, and the other way round. */
  readonly localIndex: number
  readonly remoteIndex: number
  readonly #send: DirectionKeys
  readonly #receive: DirectionKeys
  readonly #window = new ReplayWindow()
  #sent = 0
  /** Packets that either direction may have. */
  #most = REJECT_AFTER_PACKETS

  /** @param send, receive the keys of Split(), which are wiped. */
  constructor(localIndex: number, remoteIndex: number, send: Uint8Array, receive: Uint8Array) {
    this.localIndex = localIndex
    this.remoteIndex = remoteIndex
    this.#send = new DirectionKeys(send)
    this.#receive = new DirectionKeys(receive)
  }

  /** Ends the keys earlier than at 2^29 packets; in tests. */
  limit(most: number): void {
    this.#most = Math.min(this.#most, most)
  }

  /** Packets sealed so far. */
  get sent(): number {
    return this.#sent
  }

  /** The highest counter that came, plus one: packets that the other side sealed, as far as known. */
  get received(): number {
    return this.#window.newest + 1
  }

  /**
   * Makes the slot a cell of this link: writes bytes 0 to 35, and leaves the body, whose last 100 bytes it authenticates.
   * False when the keys have sent all that they may.
   */
  sealCell(packet: Packet, circuitId: number): boolean {
    if (this.#sent >= this.#most) return false
    const view = packet.view
    view.setUint32(CIRCUIT_ID_AT, circuitId)
    view.setUint32(COMMAND_AT, commandWord(LinkCommand.relay))
    this.#writeNonce(view, 0)
    this.#send.packet.seal(packet.cellSealed, packet.cellPlain, packet.tail, packet.nonce)
    this.#protect(packet)
    return true
  }

  /** Makes the slot a message of this link; its content is `packet.content`, all of which the caller has written. */
  sealMessage(packet: Packet, command: number, circuitId: number): boolean {
    if (this.#sent >= this.#most) return false
    const view = packet.view
    view.setUint32(CIRCUIT_ID_AT, circuitId)
    view.setUint32(COMMAND_AT, commandWord(command))
    this.#writeNonce(view, MESSAGE_BIT)
    this.#send.packet.seal(packet.messageSealed, packet.messagePlain, undefined, packet.nonce)
    this.#protect(packet)
    return true
  }

  /** Opens a packet in place: the cell header stands at offset 12 then. What did not open is spoilt. */
  open(packet: Packet): Opened {
    const { view } = packet
    applyMask(packet, this.#receive.header)
    const upper = view.getUint32(4)
    const counter = (upper & 0x7fff_ffff) * TWO_POW_32 + view.getUint32(8)
    if (counter >= this.#most) return 'not authentic'
    if (!this.#window.isFresh(counter)) return 'replayed'
    view.setUint32(0, 0)
    const keys = this.#receive.packet
    if (upper >= MESSAGE_BIT) {
      if (!keys.open(packet.messagePlain, packet.messageSealed, undefined, packet.nonce)) return 'not authentic'
      this.#window.accept(counter)
      return 'message'
    }
    if (!keys.open(packet.cellPlain, packet.cellSealed, packet.tail, packet.nonce)) return 'not authentic'
    this.#window.accept(counter)
    return 'cell'
  }

  wipe(): void {
    this.#send.wipe()
    this.#receive.wipe()
  }

  /** Bytes 0 to 11 as nonce: 4 zero bytes and the counter with its kind, so that the kind is authenticated too. */
  #writeNonce(view: DataView, kind: number): void {
    view.setUint32(0, 0)
    view.setUint32(4, kind)
    view.setUint32(8, this.#sent++)
  }

  /** Hides both counters; then the index, which the nonce had no place for. */
  #protect(packet: Packet): void {
    applyMask(packet, this.#send.header)
    packet.view.setUint32(0, this.remoteIndex)
  }
}

const MASK = new Uint8Array(16)
const MASK_VIEW = new DataView(MASK.buffer)

/**
 * Header protection (RFC 9001, section 5.4.4), on or off: 8 bytes of mask over the link's counter and 8 over the first of the
 * body, which in a cell are the circuit's counter. One keystream block has both.
 */
function applyMask({ view, sampleNonce }: Packet, key: Uint8Array): void {
  MASK.fill(0)
  chacha20Xor(MASK, sampleNonce, view.getUint32(20, true), key)
  view.setUint32(4, view.getUint32(4) ^ MASK_VIEW.getUint32(0))
  view.setUint32(8, view.getUint32(8) ^ MASK_VIEW.getUint32(4))
  view.setUint32(36, view.getUint32(36) ^ MASK_VIEW.getUint32(8))
  view.setUint32(40, view.getUint32(40) ^ MASK_VIEW.getUint32(12))
}
