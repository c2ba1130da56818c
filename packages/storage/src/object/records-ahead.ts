import type { ObjectSegment } from './object-records.ts'

/** Records read before their segment is asked for. */
const AHEAD = 2

/**
 * The segment records of one object in order, read a few ahead: a record takes some round trips to its holders, which
 * would otherwise stand between two segments.
 */
export class RecordsAhead {
  readonly #count: number
  readonly #read: (index: number) => Promise<ObjectSegment>
  readonly #reading: Promise<ObjectSegment>[] = []
  #next = 0

  /** @param count segments of the object. @param read reads the record of one. */
  constructor(count: number, read: (index: number) => Promise<ObjectSegment>) {
    this.#count = count
    this.#read = read
  }

  /** The record of the next segment, from 0. @throws RangeError behind the last; whatever `read` throws */
  async next(): Promise<ObjectSegment> {
    const end = Math.min(this.#count, this.#next + AHEAD + 1)
    for (let index = this.#next + this.#reading.length; index < end; index++) {
      const reading = this.#read(index)
      // One that is never asked for has nobody to tell.
      reading.catch(() => {})
      this.#reading.push(reading)
    }
    const record = this.#reading.shift()
    if (record === undefined) throw new RangeError(`there are ${this.#count} records`)
    this.#next++
    return record
  }
}
