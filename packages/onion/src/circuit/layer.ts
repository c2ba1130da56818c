import type { PacketAead } from '../packet/packet-aead.ts'
import type { Packet } from '../packet/packet.ts'
import { ReplayWindow } from '../packet/replay-window.ts'
import { HEADER_SIZE } from '../packet/sizes.ts'
import { type Span, UNIT_COUNTER } from '../packet/span.ts'
import { type Padding } from './padding.ts'

/** What a layer unit holds (docs/specs/packets.md, Layer). */
export const UnitKind = { pass: 0, control: 1, session: 2, padding: 3 } as const

/**
 * Where the control counters of a session's hop begin. The session numbers its packets itself, under the same keys: apart
 * by this bit, the two never use one nonce twice.
 */
export const SESSION_CONTROL = 2 ** 52
/** Where the counters of units under an early key begin: far above those of control units. */
export const EARLY_UNITS = 2 ** 52 + 2 ** 51

/** The kind of a unit of a session's hop; undefined when its counter belongs to another kind. */
export function sessionKind(counter: number, kind: number | undefined): number | undefined {
  const isApart = kind === UnitKind.control || kind === UnitKind.padding
  return isApart === counter >= SESSION_CONTROL ? kind : undefined
}

const HIGH = 2 ** 32
/** Counters are whole numbers below 2^53; nothing honest comes near. */
const HIGH_LIMIT = 2 ** 21
/** A session's control messages, and padding beside them, are few. */
const CONTROL_WINDOW = 1024

/** Whether the unit at the head of the body says that it is under an early key: its counter is that high. */
export function isEarlyUnit({ view }: Packet): boolean {
  return view.getUint32(HEADER_SIZE) >= EARLY_UNITS / HIGH
}

/** Seals one direction of one hop's layer. */
export class SealingLayer {
  readonly #aead: PacketAead
  readonly #padding: Padding
  #counter: number

  /** `from`: where its own counters begin: 0, {@link SESSION_CONTROL} at a session's hop, {@link EARLY_UNITS}. Wiped with the layer is `aead`. */
  constructor(aead: PacketAead, padding: Padding, from: number) {
    this.#aead = aead
    this.#padding = padding
    this.#counter = padding.firstCounter() + from
  }

  /** The next counter of the layer's own: a random 1 to 4 above the last. */
  next(): number {
    this.#counter += this.#padding.step()
    return this.#counter
  }

  /** Seals what stands in `from`, which may be `to`, and writes the counter before it. */
  seal(to: Packet, from: Packet, span: Span, counter: number): void {
    const high = Math.floor(counter / HIGH)
    const low = counter >>> 0
    const { nonce } = this.#aead
    nonce.setUint32(4, high)
    nonce.setUint32(8, low)
    to.view.setUint32(span.sealed - UNIT_COUNTER, high)
    to.view.setUint32(span.sealed - UNIT_COUNTER + 4, low)
    this.#aead.seal(to, from, span)
  }

  wipe(): void {
    this.#aead.wipe()
  }
}

/** Opens the other direction: authentic, and each counter once. */
export class OpeningLayer {
  readonly #aead: PacketAead
  readonly #window = new ReplayWindow()
  readonly #controlWindow: ReplayWindow | undefined

  /** `apart`: counters from {@link SESSION_CONTROL} on have a window of their own. Wiped with the layer is `aead`. */
  constructor(aead: PacketAead, apart: boolean) {
    this.#aead = aead
    this.#controlWindow = apart ? new ReplayWindow(CONTROL_WINDOW) : undefined
  }

  /** Opens the unit in `from`, whose counter stands before it, into `to`. @returns its counter, or -1 when it is to be dropped. */
  open(to: Packet, from: Packet, span: Span): number {
    const high = from.view.getUint32(span.sealed - UNIT_COUNTER)
    if (high >= HIGH_LIMIT) return -1
    const low = from.view.getUint32(span.sealed - UNIT_COUNTER + 4)
    const counter = high * HIGH + low
    const apart = counter >= SESSION_CONTROL ? this.#controlWindow : undefined
    const window = apart ?? this.#window
    const place = apart === undefined ? counter : counter - SESSION_CONTROL
    if (!window.isFresh(place)) return -1
    const { nonce } = this.#aead
    nonce.setUint32(4, high)
    nonce.setUint32(8, low)
    if (!this.#aead.open(to, from, span)) return -1
    window.accept(place)
    return counter
  }

  wipe(): void {
    this.#aead.wipe()
  }
}
