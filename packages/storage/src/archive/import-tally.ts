import type { Fault } from '@weft/core'
import type { ImportCounts, ImportReport, LeftMember } from './archives.ts'

const MOST_LEFT = 100

type Kind = 'objects' | 'versions'
type Counts = { -readonly [K in keyof ImportCounts]: number }

/** What became of the members of an archive so far. */
export class ImportTally {
  readonly #counts: Readonly<Record<Kind, Counts>> = {
    objects: { adopted: 0, stored: 0, present: 0, left: 0 },
    versions: { adopted: 0, stored: 0, present: 0, left: 0 },
  }
  readonly #left: LeftMember[] = []
  #buckets = 0
  #bytes = 0

  /** @param bytes that were put anew */
  add(kind: Kind, what: Exclude<keyof ImportCounts, 'left'>, bytes = 0): void {
    this.#counts[kind][what]++
    this.#bytes += bytes
  }

  leave(kind: Kind, { object, name }: { readonly object?: string; readonly name: string }, fault: Fault): void {
    this.#counts[kind].left++
    if (this.#left.length < MOST_LEFT) this.#left.push({ object, name, fault })
  }

  madeBucket(): void {
    this.#buckets++
  }

  /** All of a kind. */
  count(kind: Kind): number {
    const { adopted, stored, present, left } = this.#counts[kind]
    return adopted + stored + present + left
  }

  report(): ImportReport {
    return { ...this.#counts, buckets: this.#buckets, bytes: this.#bytes, left: this.#left }
  }
}
