import { compareBytes, utf8 } from '@weft/core'
import type { ListOptions, Versioning } from '../../src/buckets/buckets.ts'

export interface ModelVersion {
  readonly version: string
  /** Undefined for a delete marker. */
  readonly text: string | undefined
}

/** S3's rules of versions, told as simply as they can be: lists of versions by key, newest first. */
export class BucketModel {
  versioning: Versioning = 'off'
  readonly keys = new Map<string, ModelVersion[]>()

  /** @param version the name that the version got. */
  add(key: string, version: string, text: string | undefined): void {
    const others = (this.keys.get(key) ?? []).filter((one) => version !== 'null' || one.version !== 'null')
    this.keys.set(key, [{ version, text }, ...others])
  }

  drop(key: string, version: string): void {
    const left = (this.keys.get(key) ?? []).filter((one) => one.version !== version)
    if (left.length === 0) this.keys.delete(key)
    else this.keys.set(key, left)
  }

  get(key: string, version?: string): ModelVersion | undefined {
    const versions = this.keys.get(key) ?? []
    return version === undefined ? versions[0] : versions.find((one) => one.version === version)
  }

  sorted(): [string, ModelVersion[]][] {
    return [...this.keys].sort(([a], [b]) => compareBytes(utf8(a), utf8(b)))
  }

  /** Keys and common prefixes of a listing, in order, all of them. */
  list({ prefix = '', delimiter = '', after }: ListOptions): string[] {
    const found = new Set<string>()
    for (const [key, versions] of this.sorted()) {
      if (!key.startsWith(prefix) || versions[0]?.text === undefined) continue
      const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      const shown = at === -1 ? key : key.slice(0, at + delimiter.length)
      if (after === undefined || compareBytes(utf8(shown), utf8(after)) > 0) found.add(shown)
    }
    return [...found]
  }
}
