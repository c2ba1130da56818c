const COUNTER = 2 ** 32

/** Numbers that grow with every shard and note of a store, over restarts as well: what came later has the greater one. */
export class Sequence {
  #last: number

  /** @param opens how often the store was opened, this time with it; never the same twice. */
  constructor(opens: number) {
    this.#last = opens * COUNTER
  }

  next(): number {
    return ++this.#last
  }
}

/** Which opening of the store a number is of. */
export function openingOf(sequence: number): number {
  return Math.floor(sequence / COUNTER)
}

/** Eight bytes, little-endian. */
export function writeUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % COUNTER, true)
  view.setUint32(at + 4, Math.floor(value / COUNTER), true)
}

/** The result is no safe integer when the bytes are of no number that was written. */
export function readUint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * COUNTER
}
