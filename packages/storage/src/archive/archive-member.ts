import type { DidKey } from '@weft/crypto'
import type { Checksums, Versioning } from '../buckets/buckets.ts'
import type { MetaRecord } from '../buckets/catalog-records.ts'
import { STORAGE_CLASSES } from '../object/storage-class.ts'
import type { StorageClass } from '../storage.ts'
import { archiveInvalid, archiveVersion } from './archive-errors.ts'

// What an archive says of each of its members (docs/specs/archive.md), as JSON in this record of its extended header.
export const MEMBER_KEYWORD = 'WEFT.member'
const VERSION = 1

/** The first. */
export interface ArchiveMember {
  readonly kind: 'archive'
  readonly version: number
  readonly network: string
  /** ms since the epoch. */
  readonly createdAt: number
}

/** Of what has bytes: whether they follow, and if not, why: `left-out` as asked, or the code of an error. */
interface Content {
  readonly content: boolean
  readonly why?: string | undefined
}

export interface ObjectMember extends Content {
  readonly kind: 'object'
  readonly object: string
  readonly ref: string
  /** Of the object's own key, base64url. */
  readonly seed: string
  readonly name: string
  readonly size: number
  readonly class: StorageClass['name']
  readonly createdAt: number
  readonly expiresAt: number
  readonly private: boolean
  readonly holders?: readonly DidKey[] | undefined
}

export interface BucketMember {
  readonly kind: 'bucket'
  readonly bucket: string
  readonly versioning: Versioning
  readonly tags: MetaRecord['tags']
  readonly class?: StorageClass['name'] | undefined
}

export interface VersionMember extends Content {
  readonly kind: 'version'
  readonly bucket: string
  readonly key: string
  readonly version: string
  readonly isLatest: boolean
  readonly isDeleteMarker: boolean
  readonly size: number
  readonly etag: string
  readonly modifiedAt: number
  readonly meta: MetaRecord
  readonly checksums: Checksums
  /** Sizes of the parts that it was put in; empty for one that was put whole. */
  readonly parts: readonly number[]
}

/** The last: how many there were. */
interface EndMember {
  readonly kind: 'end'
  readonly objects: number
  readonly versions: number
}

export type Member = ArchiveMember | ObjectMember | BucketMember | VersionMember | EndMember

export function encodeMember(member: Member): ReadonlyMap<string, string> {
  return new Map([[MEMBER_KEYWORD, JSON.stringify(member)]])
}

export function archiveMember(network: string, createdAt: number): ArchiveMember {
  return { kind: 'archive', version: VERSION, network, createdAt }
}

/**
 * What the archive says of a member. Fields that are not known are left out.
 * @throws WeftError E_ARCHIVE_INVALID naming the field, E_ARCHIVE_VERSION
 */
export function decodeMember(records: ReadonlyMap<string, string>): Member {
  const fields = new Fields(parse(records.get(MEMBER_KEYWORD)))
  const kind = fields.text('kind')
  switch (kind) {
    case 'archive': {
      const version = fields.any('version')
      if (version !== VERSION) throw archiveVersion(version)
      return { kind, version, network: fields.text('network'), createdAt: fields.whole('createdAt') }
    }
    case 'object':
      return {
        kind,
        ...fields.content(),
        object: fields.text('object'),
        ref: fields.text('ref'),
        seed: fields.text('seed'),
        name: fields.text('name'),
        size: fields.whole('size'),
        class: fields.className('class') ?? fields.fail('class', 'a storage class'),
        createdAt: fields.whole('createdAt'),
        expiresAt: fields.whole('expiresAt'),
        private: fields.flag('private'),
        holders: fields.has('holders') ? (fields.texts('holders') as DidKey[]) : undefined,
      }
    case 'bucket':
      return {
        kind,
        bucket: fields.text('bucket'),
        versioning: fields.oneOf('versioning', ['off', 'enabled', 'suspended']),
        tags: fields.pairs('tags'),
        class: fields.className('class'),
      }
    case 'version': {
      const meta = new Fields(fields.any('meta'))
      return {
        kind,
        ...fields.content(),
        bucket: fields.text('bucket'),
        key: fields.text('key'),
        version: fields.text('version'),
        isLatest: fields.flag('isLatest'),
        isDeleteMarker: fields.flag('isDeleteMarker'),
        size: fields.whole('size'),
        etag: fields.text('etag'),
        modifiedAt: fields.whole('modifiedAt'),
        meta: {
          contentType: meta.has('contentType') ? meta.text('contentType') : undefined,
          headers: meta.pairs('headers'),
          metadata: meta.pairs('metadata'),
          tags: meta.pairs('tags'),
          class: meta.className('class'),
        },
        checksums: new Fields(fields.any('checksums')).checksums(),
        parts: fields.list('parts').map((part) => (isWhole(part) ? part : fields.fail('parts', 'whole numbers'))),
      }
    }
    case 'end':
      return { kind, objects: fields.whole('objects'), versions: fields.whole('versions') }
    default:
      return fields.fail('kind', 'archive, object, bucket, version or end')
  }
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    throw archiveInvalid(`a member has no record ${MEMBER_KEYWORD} in JSON`)
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

const CHECKSUMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const

/** The fields of an object out of JSON, each by what it has to be. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw archiveInvalid('what it says of a member is no JSON object')
    }
    this.#fields = value as Record<string, unknown>
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name)
  }

  any(name: string): unknown {
    return this.has(name) ? this.#fields[name] : undefined
  }

  fail(name: string, valid: string): never {
    throw archiveInvalid(`the field '${name}' of a member is not ${valid}`)
  }

  text(name: string): string {
    const value = this.any(name)
    return typeof value === 'string' ? value : this.fail(name, 'text')
  }

  whole(name: string): number {
    const value = this.any(name)
    return isWhole(value) ? value : this.fail(name, 'a whole number')
  }

  flag(name: string): boolean {
    const value = this.any(name)
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false')
  }

  oneOf<T extends string>(name: string, valid: readonly T[]): T {
    const value = this.any(name)
    return valid.find((one) => one === value) ?? this.fail(name, `one of ${valid.join(', ')}`)
  }

  className(name: string): StorageClass['name'] | undefined {
    if (!this.has(name)) return undefined
    return this.oneOf(
      name,
      STORAGE_CLASSES.map((one) => one.name),
    )
  }

  list(name: string): readonly unknown[] {
    const value = this.any(name)
    return Array.isArray(value) ? value : this.fail(name, 'a list')
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((item) => (typeof item === 'string' ? item : this.fail(name, 'a list of texts')))
  }

  pairs(name: string): MetaRecord['tags'] {
    return this.list(name).map((item) => {
      const [key, value, ...more] = Array.isArray(item) ? (item as unknown[]) : []
      if (typeof key !== 'string' || typeof value !== 'string' || more.length > 0) {
        return this.fail(name, 'a list of pairs of texts')
      }
      return [key, value] as const
    })
  }

  content(): Content {
    return { content: this.flag('content'), why: this.has('why') ? this.text('why') : undefined }
  }

  checksums(): Checksums {
    return Object.fromEntries(CHECKSUMS.filter((name) => this.has(name)).map((name) => [name, this.text(name)]))
  }
}
