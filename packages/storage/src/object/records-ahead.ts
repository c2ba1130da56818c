import type { ObjectSegment } from './object-records.ts'

/** Records read before their segment is asked for. */
const AHEAD = 2

/**
 * The segment records of one object in order, read a few ahead: a record takes some round trips to its holders, which
 * would otherwise stand between two segments.
 */
export class RecordsAhead {
  readonly #end: number
  readonly #read: (index: number) => Promise<ObjectSegment>
  readonly #reading: Promise<ObjectSegment>[] = []
  #next: number

  /** @param end segments of the object, or the one behind the last that is wanted. @param read reads the record of one. */
  constructor(end: number, read: (index: number) => Promise<ObjectSegment>, first = 0) {
    this.#end = end
    this.#read = read
    this.#next = first
  }

  /** The record of the next segment, from `first` on. @throws RangeError behind the last; whatever `read` throws */
  async next(): Promise<ObjectSegment> {
    const end = Math.min(this.#end, this.#next + AHEAD + 1)
    for (let index = this.#next + this.#reading.length; index < end; index++) {
      const reading = this.#read(index)
      // One that is never asked for has nobody to tell.
      reading.catch(() => {})
      this.#reading.push(reading)
    }
    const record = this.#reading.shift()
    if (record === undefined) throw new RangeError(`there is no record wanted behind ${this.#end - 1}`)
    this.#next++
    return record
  }
}
