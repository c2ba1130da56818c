import { utf8 } from '@weft/core'
import type { HeaderMask } from '../packet/header-mask.ts'
import type { PacketAead } from '../packet/packet-aead.ts'
import type { Packet } from '../packet/packet.ts'
import { ReplayWindow } from '../packet/replay-window.ts'
import { CELL, MESSAGE } from '../packet/span.ts'
import { Suite, type Suites, newAead, newHeaderMask } from '../packet/suite.ts'
import { wipe } from '../sodium.ts'
import { expandKey } from './blake2s.ts'
import { CIRCUIT_ID_AT, COMMAND_AT, LinkCommand, commandWord } from './link-command.ts'
import { REJECT_AFTER_PACKETS } from './timing.ts'

/** Info of HKDF-Expand for the key of packets and of their headers, by suite. */
const INFO: Readonly<Record<Suite, { readonly packet: Uint8Array; readonly header: Uint8Array }>> = {
  [Suite.chacha20Poly1305]: { packet: utf8('weft:link:packet:v1'), header: utf8('weft:link:header:v1') },
  [Suite.aes256Gcm]: { packet: utf8('weft:link:packet:aes256gcm:v1'), header: utf8('weft:link:header:aes256:v1') },
}
const TWO_POW_32 = 2 ** 32
/** Bit 63 of the counter, in its upper half: set in a message, clear in a cell. */
const MESSAGE_BIT = 0x8000_0000

/** What {@link LinkKeys.open} found. */
export type Opened = 'cell' | 'message' | 'not authentic' | 'replayed'

/** Keys of one direction: AEAD, and the header protection's. */
class DirectionKeys {
  readonly packet: PacketAead
  readonly header: HeaderMask

  /** @param secret one of the two of Split(); it is wiped. */
  constructor(secret: Uint8Array, suite: Suite, suites: Suites) {
    const packet = expandKey(secret, INFO[suite].packet)
    const header = expandKey(secret, INFO[suite].header)
    this.packet = newAead(suite, packet, suites)
    this.header = newHeaderMask(suite, header, suites)
    wipe(packet, header, secret)
  }

  wipe(): void {
    this.packet.wipe()
    this.header.wipe()
  }
}

/** What one handshake agreed on. */
export interface LinkAgreement {
  /** By what the other side calls this one, and the other way round. */
  readonly localIndex: number
  readonly remoteIndex: number
  /** The keys of Split(), which are wiped. */
  readonly send: Uint8Array
  readonly receive: Uint8Array
  readonly suite: Suite
}

/**
 * Keys of a link that one handshake agreed on, with the counters that belong to them. Seals and opens packets in place;
 * knows nothing of time. Nothing is allocated per packet.
 */
export class LinkKeys {
  readonly localIndex: number
  readonly remoteIndex: number
  readonly suite: Suite
  readonly #send: DirectionKeys
  readonly #receive: DirectionKeys
  readonly #window = new ReplayWindow()
  #sent = 0
  /** Packets that either direction may have. */
  #most = REJECT_AFTER_PACKETS

  /** @throws RangeError for a suite that this machine does not compute */
  constructor({ localIndex, remoteIndex, send, receive, suite }: LinkAgreement, suites: Suites) {
    this.localIndex = localIndex
    this.remoteIndex = remoteIndex
    this.suite = suite
    this.#send = new DirectionKeys(send, suite, suites)
    this.#receive = new DirectionKeys(receive, suite, suites)
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
    this.#number(view, 0)
    this.#send.packet.seal(packet, packet, CELL)
    this.#protect(packet)
    return true
  }

  /** Makes the slot a message of this link; its content is `packet.content`, all of which the caller has written. */
  sealMessage(packet: Packet, command: number, circuitId: number): boolean {
    if (this.#sent >= this.#most) return false
    const view = packet.view
    view.setUint32(CIRCUIT_ID_AT, circuitId)
    view.setUint32(COMMAND_AT, commandWord(command))
    this.#number(view, MESSAGE_BIT)
    this.#send.packet.seal(packet, packet, MESSAGE)
    this.#protect(packet)
    return true
  }

  /** Opens a packet in place: the cell header stands at offset 12 then. What did not open is spoilt. */
  open(packet: Packet): Opened {
    const { view } = packet
    applyMask(packet, this.#receive.header)
    const upper = view.getUint32(4)
    const lower = view.getUint32(8)
    const counter = (upper & 0x7fff_ffff) * TWO_POW_32 + lower
    if (counter >= this.#most) return 'not authentic'
    if (!this.#window.isFresh(counter)) return 'replayed'
    const keys = this.#receive.packet
    keys.nonce.setUint32(4, upper)
    keys.nonce.setUint32(8, lower)
    const isMessage = upper >= MESSAGE_BIT
    if (!keys.open(packet, packet, isMessage ? MESSAGE : CELL)) return 'not authentic'
    this.#window.accept(counter)
    return isMessage ? 'message' : 'cell'
  }

  wipe(): void {
    this.#send.wipe()
    this.#receive.wipe()
  }

  /** Gives the packet its counter, and the nonce: 4 zero bytes and the counter with its kind, so that the kind is authenticated too. */
  #number(view: DataView, kind: number): void {
    const { nonce } = this.#send.packet
    const counter = this.#sent++
    nonce.setUint32(4, kind)
    nonce.setUint32(8, counter)
    view.setUint32(4, kind)
    view.setUint32(8, counter)
  }

  /** Hides both counters. */
  #protect(packet: Packet): void {
    applyMask(packet, this.#send.header)
    packet.view.setUint32(0, this.remoteIndex)
  }
}

/**
 * Header protection (RFC 9001, section 5.4), on or off: 8 bytes of mask over the link's counter and 8 over the first of the
 * body, which in a cell are the circuit's counter. One block has both.
 */
function applyMask(packet: Packet, header: HeaderMask): void {
  const { view } = packet
  const mask = header.of(packet)
  view.setUint32(4, view.getUint32(4) ^ mask.getUint32(0))
  view.setUint32(8, view.getUint32(8) ^ mask.getUint32(4))
  view.setUint32(36, view.getUint32(36) ^ mask.getUint32(8))
  view.setUint32(40, view.getUint32(40) ^ mask.getUint32(12))
}
