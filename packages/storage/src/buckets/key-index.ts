import { compareKeys } from './compare-keys.ts'

/** Keys of a chunk at most; a full one is cut in two. */
const CHUNK = 512

/**
 * What is at a key: its versions, oldest first, each as `VersionMark` has it. A number in place of a list of one: most
 * keys have one version, and a list takes as much memory as a key.
 */
export type VersionMarks = number | number[]

interface Chunk {
  readonly keys: string[]
  readonly values: VersionMarks[]
}

/** A place in the index; `next` of it is the one behind. Good until the index changes. */
export interface KeyPlace {
  readonly key: string
  readonly marks: VersionMarks
  next(): KeyPlace | undefined
}

/** The keys of a bucket in the order of their UTF-8 bytes: a list of sorted chunks, searched by halves. */
export class KeyIndex {
  readonly #chunks: Chunk[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): VersionMarks | undefined {
    const found = this.#find((other) => compareKeys(other, key) < 0)
    const chunk = this.#chunks[found.chunk]
    return chunk?.keys[found.at] === key ? chunk.values[found.at] : undefined
  }

  /** @param marks undefined takes the key away. */
  set(key: string, marks: VersionMarks | undefined): void {
    const { chunk: number, at } = this.#find((other) => compareKeys(other, key) < 0)
    const chunk = this.#chunks[number]
    if (chunk !== undefined && chunk.keys[at] === key) {
      if (marks === undefined) this.#delete(chunk, number, at)
      else chunk.values[at] = marks
    } else if (marks !== undefined) {
      this.#insert(number, at, key, marks)
    }
  }

  /** The first place of which this is false. It has to be true up to some key, and false from there on. */
  seek(isBefore: (key: string) => boolean): KeyPlace | undefined {
    const { chunk, at } = this.#find(isBefore)
    return this.#place(chunk, at)
  }

  #place(number: number, at: number): KeyPlace | undefined {
    const chunk = this.#chunks[number]
    if (chunk === undefined) return undefined
    const key = chunk.keys[at]
    if (key === undefined) return this.#place(number + 1, 0)
    return { key, marks: chunk.values[at] as VersionMarks, next: () => this.#place(number, at + 1) }
  }

  /** Within a chunk that has it, or behind all in the last one. */
  #find(isBefore: (key: string) => boolean): { readonly chunk: number; readonly at: number } {
    const last = this.#chunks.length - 1
    const chunk = halves(0, last, (number) => isBefore((this.#chunks[number] as Chunk).keys.at(-1) as string))
    const keys = this.#chunks[chunk]?.keys ?? []
    return { chunk: Math.max(0, chunk), at: halves(0, keys.length, (at) => isBefore(keys[at] as string)) }
  }

  #insert(number: number, at: number, key: string, marks: VersionMarks): void {
    const chunk = this.#chunks[number] ?? { keys: [], values: [] }
    if (this.#chunks.length === 0) this.#chunks.push(chunk)
    chunk.keys.splice(at, 0, key)
    chunk.values.splice(at, 0, marks)
    this.#size++
    if (chunk.keys.length <= CHUNK) return
    const half = CHUNK / 2
    const behind = { keys: chunk.keys.splice(half), values: chunk.values.splice(half) }
    this.#chunks.splice(number + 1, 0, behind)
  }

  #delete(chunk: Chunk, number: number, at: number): void {
    chunk.keys.splice(at, 1)
    chunk.values.splice(at, 1)
    this.#size--
    if (chunk.keys.length === 0) this.#chunks.splice(number, 1)
  }
}

/** The first whole number from `low` on for which this is false; `high` when there is none below it. */
export function halves(low: number, high: number, isBefore: (at: number) => boolean): number {
  let [from, to] = [low, Math.max(low, high)]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (isBefore(middle)) from = middle + 1
    else to = middle
  }
  return from
}
