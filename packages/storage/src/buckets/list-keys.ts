import type { ListOptions, Listing, ObjectVersion, VersionListOptions, VersionListing } from './buckets.ts'
import type { BucketState, Catalog } from './catalog.ts'
import { versionOf } from './catalog-records.ts'
import { compareKeys } from './compare-keys.ts'
import type { KeyIndex, KeyPlace, VersionMarks } from './key-index.ts'
import { countFrom, latestMark, marksOf, nullMark, versionNumber } from './version-mark.ts'

const MAX_LISTED = 1_000

/** Keys and common prefixes in order; where a prefix stands for keys, the walk goes on behind all of them. */
class KeyWalk {
  readonly #keys: KeyIndex
  readonly #prefix: string
  readonly #delimiter: string
  readonly #after: string | undefined

  constructor(keys: KeyIndex, { prefix = '', delimiter = '', after }: ListOptions) {
    this.#keys = keys
    this.#prefix = prefix
    this.#delimiter = delimiter
    this.#after = after
  }

  /** The first place that is to be looked at. @param including whether the key `after` itself is */
  start(including: boolean): KeyPlace | undefined {
    const [prefix, after] = [this.#prefix, this.#after]
    const isBefore = (key: string): boolean => {
      if (compareKeys(key, prefix) < 0) return true
      if (after === undefined) return false
      const order = compareKeys(key, after)
      return order < 0 || (order === 0 && !including)
    }
    return this.within(this.#keys.seek(isBefore))
  }

  /** A place as long as its key has the prefix. */
  within(place: KeyPlace | undefined): KeyPlace | undefined {
    return place?.key.startsWith(this.#prefix) === true ? place : undefined
  }

  /** The common prefix that stands for a key; undefined for a key that stands for itself. */
  common(key: string): string | undefined {
    if (this.#delimiter === '') return undefined
    const at = key.indexOf(this.#delimiter, this.#prefix.length)
    return at === -1 ? undefined : key.slice(0, at + this.#delimiter.length)
  }

  /** Whether a common prefix is not behind `after`: it was in an earlier answer, or is to be left out as a whole. */
  isOver(common: string): boolean {
    return this.#after !== undefined && compareKeys(common, this.#after) <= 0
  }

  /** The first place behind all keys with a common prefix. */
  behind(common: string): KeyPlace | undefined {
    return this.within(this.#keys.seek((key) => key.startsWith(common) || compareKeys(key, common) < 0))
  }
}

export function listKeys(catalog: Catalog, { keys }: BucketState, options: ListOptions): Listing {
  const walk = new KeyWalk(keys, options)
  const limit = limitOf(options)
  const entries: ObjectVersion[] = []
  const prefixes: string[] = []
  let last: string | undefined
  for (let place = walk.start(false); place !== undefined;) {
    const common = walk.common(place.key)
    if (common !== undefined && walk.isOver(common)) {
      place = walk.behind(common)
      continue
    }
    const mark = latestMark(place.marks)
    if (mark.isDeleteMarker) {
      place = walk.within(place.next())
      continue
    }
    if (entries.length + prefixes.length === limit) return { entries, prefixes, next: last }
    if (common === undefined) entries.push(versionOf(catalog.version(mark.id), true))
    else prefixes.push(common)
    last = common ?? place.key
    place = common === undefined ? walk.within(place.next()) : walk.behind(common)
  }
  return { entries, prefixes, next: undefined }
}

export function listVersions(catalog: Catalog, { keys }: BucketState, options: VersionListOptions): VersionListing {
  const { after, afterVersion } = options
  const walk = new KeyWalk(keys, options)
  const limit = limitOf(options)
  const entries: ObjectVersion[] = []
  const prefixes: string[] = []
  let last: { readonly next: string; readonly nextVersion: string | undefined } | undefined
  const isFull = (): boolean => entries.length + prefixes.length === limit
  for (let place = walk.start(afterVersion !== undefined); place !== undefined;) {
    const common = walk.common(place.key)
    if (common !== undefined) {
      if (!walk.isOver(common)) {
        if (isFull()) return { entries, prefixes, next: last?.next, nextVersion: last?.nextVersion }
        prefixes.push(common)
        last = { next: common, nextVersion: undefined }
      }
      place = walk.behind(common)
      continue
    }
    const from = place.key === after && afterVersion !== undefined ? olderThan(place.marks, afterVersion) : 0
    for (const [at, { id }] of marksOf(place.marks, from, limit + 1).entries()) {
      if (isFull()) return { entries, prefixes, next: last?.next, nextVersion: last?.nextVersion }
      const entry = versionOf(catalog.version(id), from + at === 0)
      entries.push(entry)
      last = { next: entry.key, nextVersion: entry.version }
    }
    place = walk.within(place.next())
  }
  return { entries, prefixes, next: undefined, nextVersion: undefined }
}

/** Where those begin that are older than a version, which may be gone; behind all for what is no version. */
function olderThan(marks: VersionMarks, version: string): number {
  const number = version === 'null' ? nullMark(marks)?.id : versionNumber(version)
  return countFrom(marks, number ?? 0)
}

export function limitOf({ limit = MAX_LISTED }: ListOptions): number {
  return Math.min(MAX_LISTED, Math.max(1, limit))
}
