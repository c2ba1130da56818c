import { createHash, randomBytes } from 'node:crypto'
import { WeftError } from '@weft/core'
import type {
  Bucket,
  Buckets,
  ByteRange,
  Checksums,
  Deletion,
  ListOptions,
  Listing,
  ObjectContent,
  ObjectMeta,
  ObjectVersion,
  Part,
  Preconditions,
  PutInto,
  Upload,
  VersionListOptions,
  VersionListing,
} from '@weft/storage'

interface Stored extends Omit<ObjectVersion, 'isLatest'> {
  readonly bytes: Buffer
}

interface StoredPart extends Part {
  readonly bytes: Buffer
}

interface Open extends Upload {
  readonly parts: Map<number, StoredPart>
}

interface Held {
  info: Bucket
  /** Newest first. */
  readonly keys: Map<string, Stored[]>
  readonly uploads: Map<string, Open>
  readonly completed: Map<string, ObjectVersion>
}

const MIN_PART = 5 * 1024 * 1024

function fault(code: string, details: Record<string, unknown> = {}): WeftError {
  return new WeftError({ code, cause: code, fix: 'This is a test.', details })
}

function emptyMeta(meta: Partial<ObjectMeta> = {}): ObjectMeta {
  return { contentType: undefined, headers: new Map(), metadata: new Map(), tags: new Map(), class: undefined, ...meta }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Test support: `Buckets` in this process's memory, as plain as their interface can be kept. */
export class MemoryBuckets implements Buckets {
  readonly fault = undefined
  readonly #buckets = new Map<string, Held>()
  #now: number

  constructor(now = Date.now()) {
    this.#now = now
  }

  #held(name: string): Held {
    const held = this.#buckets.get(name)
    if (held === undefined) throw fault('E_BUCKET_UNKNOWN')
    return held
  }

  async create(name: string): Promise<Bucket> {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw fault('E_BUCKET_NAME')
    if (this.#buckets.has(name)) throw fault('E_BUCKET_EXISTS')
    const info: Bucket = { name, createdAt: this.#time(), versioning: 'off', tags: new Map(), class: undefined }
    this.#buckets.set(name, { info, keys: new Map(), uploads: new Map(), completed: new Map() })
    return info
  }

  async delete(name: string): Promise<void> {
    const held = this.#held(name)
    if (held.keys.size > 0 || held.uploads.size > 0) throw fault('E_BUCKET_NOT_EMPTY')
    this.#buckets.delete(name)
  }

  all(): readonly Bucket[] {
    return [...this.#buckets.values()].map(({ info }) => info).toSorted((a, b) => compareBytes(a.name, b.name))
  }

  bucket(name: string): Bucket {
    return this.#held(name).info
  }

  async change(name: string, change: Partial<Pick<Bucket, 'versioning' | 'tags' | 'class'>>): Promise<Bucket> {
    const held = this.#held(name)
    held.info = { ...held.info, ...change }
    return held.info
  }

  async put(
    bucket: string,
    key: string,
    body: AsyncIterable<Uint8Array>,
    options: PutInto = {},
  ): Promise<ObjectVersion> {
    this.#held(bucket)
    const bytes = await readAll(body)
    const etag = md5(bytes)
    if (options.md5 !== undefined && options.md5 !== etag) throw fault('E_DIGEST')
    const checksums = options.checksums?.() ?? {}
    return this.#add(bucket, key, { bytes, etag, checksums, parts: [], meta: emptyMeta(options.meta) }, options)
  }

  #check(held: Held, key: string, { ifMatch, ifNoneMatch }: Preconditions): void {
    const [now] = held.keys.get(key) ?? []
    const etag = now === undefined || now.isDeleteMarker ? undefined : now.etag
    if (ifMatch !== undefined && (etag === undefined || !(ifMatch.includes('*') || ifMatch.includes(etag))))
      throw fault('E_PRECONDITION')
    if (ifNoneMatch !== undefined && etag !== undefined && (ifNoneMatch.includes('*') || ifNoneMatch.includes(etag)))
      throw fault('E_PRECONDITION')
  }

  #add(
    bucket: string,
    key: string,
    what: Pick<Stored, 'bytes' | 'etag' | 'checksums' | 'parts' | 'meta'>,
    preconditions: Preconditions,
  ): ObjectVersion {
    const held = this.#held(bucket)
    this.#check(held, key, preconditions)
    const stored = this.#stored(held, key, what, false)
    this.#push(held, key, stored)
    return { ...stored, isLatest: true }
  }

  #stored(
    held: Held,
    key: string,
    what: Pick<Stored, 'bytes' | 'etag' | 'checksums' | 'parts' | 'meta'>,
    isDeleteMarker: boolean,
  ): Stored {
    const version = held.info.versioning === 'enabled' ? randomBytes(16).toString('hex') : 'null'
    return { key, version, isDeleteMarker, size: what.bytes.length, modifiedAt: this.#time(), ...what }
  }

  #push(held: Held, key: string, stored: Stored): void {
    const before = (held.keys.get(key) ?? []).filter(({ version }) => version !== stored.version)
    held.keys.set(key, [stored, ...before])
  }

  /** No two moments are the same. */
  #time(): number {
    this.#now = Math.max(this.#now + 1, Date.now())
    return this.#now
  }

  #find(bucket: string, key: string, version: string | undefined): Stored & { readonly isLatest: boolean } {
    const versions = this.#held(bucket).keys.get(key) ?? []
    const at = version === undefined ? 0 : versions.findIndex((each) => each.version === version)
    const found = versions[at]
    if (found === undefined) throw fault(version === undefined ? 'E_KEY_UNKNOWN' : 'E_VERSION_UNKNOWN')
    if (version === undefined && found.isDeleteMarker)
      throw fault('E_KEY_UNKNOWN', { deleteMarker: true, version: found.version })
    return { ...found, isLatest: at === 0 }
  }

  head(bucket: string, key: string, version?: string): ObjectVersion {
    return this.#find(bucket, key, version)
  }

  async get(
    bucket: string,
    key: string,
    options: { readonly version?: string; readonly range?: ByteRange } = {},
  ): Promise<ObjectContent> {
    const entry = this.#find(bucket, key, options.version)
    const { offset, length } = options.range ?? { offset: 0, length: entry.size }
    return { entry, body: inPieces(entry.bytes.subarray(offset, offset + length)) }
  }

  async copy(
    from: { readonly bucket: string; readonly key: string; readonly version?: string },
    to: { readonly bucket: string; readonly key: string },
    options: Preconditions & { readonly meta?: Partial<ObjectMeta> } = {},
  ): Promise<ObjectVersion> {
    const source = this.#find(from.bucket, from.key, from.version)
    const meta = options.meta === undefined ? source.meta : emptyMeta(options.meta)
    const { bytes, checksums, etag, parts } = source
    return this.#add(to.bucket, to.key, { bytes, checksums, etag, parts, meta }, options)
  }

  async setTags(
    bucket: string,
    key: string,
    tags: ReadonlyMap<string, string>,
    version?: string,
  ): Promise<ObjectVersion> {
    const found = this.#find(bucket, key, version)
    const versions = this.#held(bucket).keys.get(key) ?? []
    const at = versions.findIndex((each) => each.version === found.version)
    const changed = { ...found, meta: { ...found.meta, tags } }
    versions[at] = changed
    return changed
  }

  async remove(bucket: string, key: string, version?: string, conditions: Preconditions = {}): Promise<Deletion> {
    const held = this.#held(bucket)
    this.#check(held, key, conditions)
    if (version === undefined && held.info.versioning !== 'off') {
      const nothing = { bytes: Buffer.alloc(0), etag: '', checksums: {}, parts: [], meta: emptyMeta() }
      const marker = this.#stored(held, key, nothing, true)
      this.#push(held, key, marker)
      return { key, version: marker.version, isDeleteMarker: true }
    }
    const versions = held.keys.get(key) ?? []
    const wanted = version ?? 'null'
    const gone = versions.find((each) => each.version === wanted)
    const left = versions.filter((each) => each !== gone)
    if (left.length === 0) held.keys.delete(key)
    else held.keys.set(key, left)
    return { key, version, isDeleteMarker: gone?.isDeleteMarker ?? false }
  }

  list(bucket: string, options: ListOptions = {}): Listing {
    const latest = [...this.#held(bucket).keys.values()].flatMap(([first]) =>
      first === undefined || first.isDeleteMarker ? [] : [{ ...first, isLatest: true }],
    )
    return cut(latest, options)
  }

  listVersions(bucket: string, options: VersionListOptions = {}): VersionListing {
    const { after, afterVersion } = options
    const all = [...this.#held(bucket).keys.values()].flatMap((versions) => {
      const entries = versions.map((each, at) => ({ ...each, isLatest: at === 0 }))
      if (after === undefined || afterVersion === undefined || versions[0]?.key !== after) return entries
      return entries.slice(entries.findIndex(({ version }) => version === afterVersion) + 1)
    })
    const listing = cut(all, options, afterVersion !== undefined)
    const last = listing.entries.at(-1)
    const nextVersion = listing.next !== undefined && last?.key === listing.next ? last.version : undefined
    return { ...listing, nextVersion }
  }

  async startUpload(
    bucket: string,
    key: string,
    options: Partial<Pick<Upload, 'checksum'>> & { readonly meta?: Partial<ObjectMeta> } = {},
  ): Promise<Upload> {
    const upload: Open = {
      id: randomBytes(16).toString('hex'),
      key,
      startedAt: this.#time(),
      meta: emptyMeta(options.meta),
      checksum: options.checksum,
      parts: new Map(),
    }
    this.#held(bucket).uploads.set(upload.id, upload)
    return upload
  }

  upload(bucket: string, key: string, id: string): Open {
    const upload = this.#held(bucket).uploads.get(id)
    if (upload?.key !== key) throw fault('E_UPLOAD_UNKNOWN')
    return upload
  }

  uploads(
    bucket: string,
    options: ListOptions & { readonly afterUpload?: string } = {},
  ): ReturnType<Buckets['uploads']> {
    const { afterUpload, limit = 1_000 } = options
    const all = [...this.#held(bucket).uploads.values()].toSorted(
      (a, b) => compareBytes(a.key, b.key) || a.startedAt - b.startedAt,
    )
    const from = afterUpload === undefined ? 0 : all.findIndex(({ id }) => id === afterUpload) + 1
    const { entries, prefixes } = cut(all.slice(from), { ...options, limit: 1_000 }, afterUpload !== undefined)
    const shown = entries.slice(0, limit)
    const last = shown.at(-1)
    const more = entries.length > shown.length && last !== undefined
    return { uploads: shown, prefixes, next: more ? { key: last.key, upload: last.id } : undefined }
  }

  async putPart(
    bucket: string,
    key: string,
    id: string,
    number: number,
    body: AsyncIterable<Uint8Array>,
    options: Pick<PutInto, 'md5' | 'checksums'> = {},
  ): Promise<Part> {
    const upload = this.upload(bucket, key, id)
    const bytes = await readAll(body)
    const etag = md5(bytes)
    if (options.md5 !== undefined && options.md5 !== etag) throw fault('E_DIGEST')
    const part: StoredPart = {
      number,
      bytes,
      size: bytes.length,
      etag,
      modifiedAt: this.#time(),
      checksums: options.checksums?.() ?? {},
    }
    upload.parts.set(number, part)
    return part
  }

  parts(bucket: string, key: string, id: string): readonly Part[] {
    return [...this.upload(bucket, key, id).parts.values()].toSorted((a, b) => a.number - b.number)
  }

  async completeUpload(
    bucket: string,
    key: string,
    id: string,
    parts: readonly { readonly number: number; readonly etag: string }[],
    options: Preconditions & { readonly checksums?: Checksums } = {},
  ): Promise<ObjectVersion> {
    const held = this.#held(bucket)
    const before = held.completed.get(id)
    if (before !== undefined) return before
    const upload = this.upload(bucket, key, id)
    const found = parts.map(({ number, etag }) => {
      const part = upload.parts.get(number)
      if (part?.etag !== etag) throw fault('E_PART_UNKNOWN')
      return part
    })
    if (found.slice(0, -1).some(({ size }) => size < MIN_PART)) throw fault('E_PART_SMALL')
    const etag = `${md5(Buffer.concat(found.map((part) => Buffer.from(part.etag, 'hex'))))}-${found.length}`
    const bytes = Buffer.concat(found.map((part) => part.bytes))
    const kept = found.map((part) => ({ size: part.size, checksums: part.checksums }))
    const entry = this.#add(
      bucket,
      key,
      { bytes, etag, checksums: options.checksums ?? {}, parts: kept, meta: upload.meta },
      options,
    )
    held.uploads.delete(id)
    held.completed.set(id, entry)
    return entry
  }

  async abortUpload(bucket: string, key: string, id: string): Promise<void> {
    this.upload(bucket, key, id)
    this.#held(bucket).uploads.delete(id)
  }
}

function cut<T extends { readonly key: string }>(
  all: readonly T[],
  { prefix = '', delimiter, after, limit = 1_000 }: ListOptions,
  withAfter = false,
): { readonly entries: T[]; readonly prefixes: string[]; readonly next: string | undefined } {
  const entries: T[] = []
  const prefixes: string[] = []
  let last: string | undefined
  for (const each of all.toSorted((a, b) => compareBytes(a.key, b.key))) {
    if (!each.key.startsWith(prefix)) continue
    const order = after === undefined ? 1 : compareBytes(each.key, after)
    if (order < 0 || (order === 0 && !withAfter)) continue
    const at = delimiter === undefined ? -1 : each.key.indexOf(delimiter, prefix.length)
    const common = at < 0 || delimiter === undefined ? undefined : each.key.slice(0, at + delimiter.length)
    const isOver = common !== undefined && after !== undefined && compareBytes(common, after) <= 0
    if (common !== undefined && (isOver || common === prefixes.at(-1))) continue
    if (entries.length + prefixes.length === limit) return { entries, prefixes, next: last }
    if (common === undefined) entries.push(each)
    else prefixes.push(common)
    last = common ?? each.key
  }
  return { entries, prefixes, next: undefined }
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

async function* inPieces(bytes: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}
