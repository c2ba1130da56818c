import type { PacketAead } from '../packet/aead.ts'
import { ReplayWindow } from '../packet/replay-window.ts'
import { NONCE_BYTES } from '../sodium.ts'
import { type Padding } from './padding.ts'

/** What a layer unit holds (docs/specs/packets.md, Layer). */
export const UnitKind = { pass: 0, control: 1, session: 2 } as const

/**
 * Where the control counters of a session's hop begin. The session numbers its packets itself, under the same keys: apart
 * by this bit, the two never use one nonce twice.
 */
export const SESSION_CONTROL = 2 ** 52

/** The kind of a unit of a session's hop; undefined when its counter belongs to another kind. */
export function sessionKind(counter: number, kind: number | undefined): number | undefined {
  return (kind === UnitKind.control) === counter >= SESSION_CONTROL ? kind : undefined
}

const HIGH = 2 ** 32
/** Counters are whole numbers below 2^53; nothing honest comes near. */
const HIGH_LIMIT = 2 ** 21
/** A session's control messages are few. */
const CONTROL_WINDOW = 1024

/** Seals one direction of one hop's layer. */
export class SealingLayer {
  readonly #aead: PacketAead
  readonly #padding: Padding
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  readonly #nonceView = new DataView(this.#nonce.buffer)
  #counter: number

  /** `session`: the hop's other counters are a session's packet numbers. Wiped with the layer is `aead`. */
  constructor(aead: PacketAead, padding: Padding, session: boolean) {
    this.#aead = aead
    this.#padding = padding
    this.#counter = padding.firstCounter() + (session ? SESSION_CONTROL : 0)
  }

  /** The next counter of the layer's own: a random 1 to 4 above the last. */
  next(): number {
    this.#counter += this.#padding.step()
    return this.#counter
  }

  /** Writes the counter at `offset` and the sealed bytes. `plain` may be `sealed`'s own bytes or other memory. */
  seal(view: DataView, offset: number, sealed: Uint8Array, plain: Uint8Array, counter: number): void {
    const high = Math.floor(counter / HIGH)
    const low = counter >>> 0
    this.#nonceView.setUint32(4, high)
    this.#nonceView.setUint32(8, low)
    view.setUint32(offset, high)
    view.setUint32(offset + 4, low)
    this.#aead.seal(sealed, plain, undefined, this.#nonce)
  }

  wipe(): void {
    this.#aead.wipe()
  }
}

/** Opens the other direction: authentic, and each counter once. */
export class OpeningLayer {
  readonly #aead: PacketAead
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  readonly #nonceView = new DataView(this.#nonce.buffer)
  readonly #window = new ReplayWindow()
  readonly #controlWindow: ReplayWindow | undefined

  /** Wiped with the layer is `aead`. */
  constructor(aead: PacketAead, session: boolean) {
    this.#aead = aead
    this.#controlWindow = session ? new ReplayWindow(CONTROL_WINDOW) : undefined
  }

  /** Opens the unit whose counter stands at `offset` into `plain`. @returns its counter, or -1 when it is to be dropped. */
  open(view: DataView, offset: number, sealed: Uint8Array, plain: Uint8Array): number {
    const high = view.getUint32(offset)
    if (high >= HIGH_LIMIT) return -1
    const low = view.getUint32(offset + 4)
    const counter = high * HIGH + low
    const apart = counter >= SESSION_CONTROL ? this.#controlWindow : undefined
    const window = apart ?? this.#window
    const place = apart === undefined ? counter : counter - SESSION_CONTROL
    if (!window.isFresh(place)) return -1
    this.#nonceView.setUint32(4, high)
    this.#nonceView.setUint32(8, low)
    if (!this.#aead.open(plain, sealed, undefined, this.#nonce)) return -1
    window.accept(place)
    return counter
  }

  wipe(): void {
    this.#aead.wipe()
  }
}
