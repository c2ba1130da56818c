import { MapPageSchema } from '@weft/wire'
import { MAX_UNPACKED, packMessage } from './packed-message.ts'

/** Bytes around one entry in a page: its tag and length. */
const ENTRY_OVERHEAD = 4
const NOTHING = new Uint8Array()

/** The entries of one map in packed pages, each packed when it is first asked for. */
export class MapPages {
  readonly #entries: readonly Uint8Array[]
  /** Position of the first entry of each page, and the number of entries. */
  readonly #bounds: readonly number[]
  readonly #packed = new Map<number, Uint8Array>()

  constructor(entries: readonly Uint8Array[]) {
    this.#entries = entries
    this.#bounds = boundsOf(entries)
  }

  /** A MapPage, packed; no bytes behind the last. */
  page(number: number): Uint8Array {
    const [from, to] = [this.#bounds[number], this.#bounds[number + 1]]
    if (from === undefined || to === undefined) return NOTHING
    let packed = this.#packed.get(number)
    if (packed === undefined) {
      packed = packMessage(MapPageSchema, { entries: this.#entries.slice(from, to) })
      this.#packed.set(number, packed)
    }
    return packed
  }
}

function boundsOf(entries: readonly Uint8Array[]): number[] {
  const bounds = [0]
  let room = MAX_UNPACKED
  for (const [at, { length }] of entries.entries()) {
    room -= length + ENTRY_OVERHEAD
    if (room >= 0) continue
    bounds.push(at)
    room = MAX_UNPACKED - length - ENTRY_OVERHEAD
  }
  bounds.push(entries.length)
  return bounds
}
