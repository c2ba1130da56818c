import { type Fault, throwIfAborted } from '@weft/core'
import type { Buckets, ObjectMeta, ObjectVersion, PutInto, Versioning } from '../buckets/buckets.ts'
import { metaOf } from '../buckets/catalog-records.ts'
import { archiveInvalid, noContent } from './archive-errors.ts'
import type { BucketMember, VersionMember } from './archive-member.ts'
import type { ImportTally } from './import-tally.ts'
import { inOwnClass } from './in-own-class.ts'
import type { TarMember } from './tar-reader.ts'

/** Of a version that was put whole: the MD5 of its bytes. */
const MD5 = /^[0-9a-f]{32}$/

/** What is here of the key that is imported. */
interface Key {
  readonly bucket: string
  readonly key: string
  /** Its versions that were here before, oldest first. */
  readonly here: readonly ObjectVersion[]
  /** Versions of the archive so far. */
  seen: number
  /** What is here is something else than what the archive has. */
  isOther: boolean
}

/**
 * Puts the versions of an archive into the buckets here, each key from its oldest version on. A key that has the first
 * versions of the archive goes on behind them; one that has others is left as it is.
 */
export class ImportedVersions {
  readonly #buckets: Buckets
  readonly #tally: ImportTally
  readonly #signal: AbortSignal | undefined
  /** What the versioning of buckets that were made is set to in the end. */
  readonly #versioning = new Map<string, Versioning>()
  #bucket: string | undefined
  #key: Key | undefined

  constructor(buckets: Buckets, tally: ImportTally, signal: AbortSignal | undefined) {
    this.#buckets = buckets
    this.#tally = tally
    this.#signal = signal
  }

  /** Makes the bucket if there is none of that name; one that is here keeps its settings. */
  async bucket({ bucket: name, versioning, tags, class: className }: BucketMember): Promise<void> {
    this.#bucket = name
    if (this.#buckets.all().some((one) => one.name === name)) return
    await this.#buckets.create(name)
    await this.#buckets.change(name, {
      // Its versions are put one after the other, and are to stay.
      versioning: versioning === 'off' ? 'off' : 'enabled',
      tags: new Map(tags),
      ...(className && { class: className }),
    })
    if (versioning === 'suspended') this.#versioning.set(name, versioning)
    this.#tally.madeBucket()
  }

  async version(said: VersionMember, member: TarMember): Promise<void> {
    if (said.bucket !== this.#bucket) throw archiveInvalid('a version stands outside of its bucket')
    const key = this.#keyOf(said)
    const here = key.here[key.seen]
    key.seen++
    if (here !== undefined && !key.isOther) key.isOther = !isSame(here, said)
    if (key.isOther) return this.#tally.leave('versions', nameOf(said), OTHER)
    if (here !== undefined) return this.#tally.add('versions', 'present')
    await this.#import(said, member)
  }

  /** After the last one. */
  async end(): Promise<void> {
    for (const [name, versioning] of this.#versioning) await this.#buckets.change(name, { versioning })
  }

  async #import(said: VersionMember, member: TarMember): Promise<void> {
    const { bucket, key, isDeleteMarker, content, size, meta, parts } = said
    throwIfAborted(this.#signal)
    if (isDeleteMarker) {
      await this.#buckets.remove(bucket, key)
      return this.#tally.add('versions', 'stored')
    }
    if (!content) return this.#tally.leave('versions', nameOf(said), noContent(said.why))
    const kept = metaOf(meta)
    if (parts.length === 0) await this.#put(said, member, kept)
    else if (parts.reduce((sum, part) => sum + part, 0) === size) await this.#putParts(said, member, kept)
    else throw archiveInvalid("the field 'parts' of a member does not add up to its size")
    this.#tally.add('versions', 'stored', size)
  }

  async #put(
    { bucket, key, size, etag, checksums }: VersionMember,
    member: TarMember,
    meta: ObjectMeta,
  ): Promise<void> {
    const options: PutInto = {
      size,
      checksums: () => checksums,
      ...(MD5.test(etag) && { md5: etag }),
      ...this.#signalled,
    }
    await inOwnClass(member, meta.class, (className) =>
      this.#buckets.put(bucket, key, member.body(), { ...options, meta: { ...meta, class: className } }),
    )
  }

  /** As it was put, so that its ETag is the same. */
  async #putParts({ bucket, key, parts }: VersionMember, member: TarMember, meta: ObjectMeta): Promise<void> {
    await inOwnClass(member, meta.class, async (className) => {
      const { id } = await this.#buckets.startUpload(bucket, key, {
        checksum: undefined,
        meta: { ...meta, class: className },
      })
      try {
        const done: { number: number; etag: string }[] = []
        for (const [at, size] of parts.entries()) {
          const number = at + 1
          const body = member.body(size)
          const { etag } = await this.#buckets.putPart(bucket, key, id, number, body, { size, ...this.#signalled })
          done.push({ number, etag })
        }
        await this.#buckets.completeUpload(bucket, key, id, done)
      } catch (error) {
        await this.#buckets.abortUpload(bucket, key, id).catch(() => {})
        throw error
      }
    })
  }

  get #signalled(): { readonly signal?: AbortSignal } {
    return this.#signal === undefined ? {} : { signal: this.#signal }
  }

  #keyOf({ bucket, key }: VersionMember): Key {
    if (this.#key?.bucket === bucket && this.#key.key === key) return this.#key
    this.#key = { bucket, key, here: [...versionsOf(this.#buckets, bucket, key)].toReversed(), seen: 0, isOther: false }
    return this.#key
  }
}

function* versionsOf(buckets: Buckets, bucket: string, key: string): Generator<ObjectVersion> {
  // The key itself is the first of those that begin with it.
  for (let more: { readonly after?: string; readonly afterVersion?: string } | undefined = {}; more !== undefined;) {
    const { entries, next, nextVersion } = buckets.listVersions(bucket, { prefix: key, ...more })
    for (const entry of entries) {
      if (entry.key !== key) return
      yield entry
    }
    more =
      next === undefined ? undefined : { after: next, ...(nextVersion !== undefined && { afterVersion: nextVersion }) }
  }
}

function isSame(here: ObjectVersion, said: VersionMember): boolean {
  return here.etag === said.etag && here.size === said.size && here.isDeleteMarker === said.isDeleteMarker
}

function nameOf({ bucket, key }: VersionMember): { readonly name: string } {
  return { name: `${bucket}/${key}` }
}

const OTHER: Fault = {
  code: 'E_ARCHIVE_KEY_EXISTS',
  cause: 'The bucket here has something else under this key, which is left as it is.',
  fix: 'Delete or rename it and import again, or unpack the archive: age -d ARCHIVE | tar -x',
}
