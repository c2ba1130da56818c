import { createCipheriv, createDecipheriv } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Clock, WeftError, concatBytes, messageOf, systemRandom, toBase32, toBase64Url, utf8 } from '@weft/core'
import { type SigningKey, hkdf, wipe } from '@weft/crypto'
import type { Credential, Credentials } from '@weft/s3'

/** A key as it may be shown: without its secret. */
export interface S3KeyInfo {
  readonly accessKeyId: string
  readonly name: string
  /** Undefined: all, those that are yet to come as well. */
  readonly buckets?: readonly string[] | undefined
  readonly access: 'read' | 'write'
  /** ms since the epoch. */
  readonly createdAt: number
}

/** What a new key is for. */
export type S3KeyGrant = Pick<S3KeyInfo, 'buckets' | 'access'> & { readonly name?: string | undefined }

interface StoredKey extends S3KeyInfo {
  readonly secretAccessKey: string
}

const MAX_KEYS = 256
const INFO = 'weft:s3-keys:v1'
const NONCE_SIZE = 12
const TAG_SIZE = 16
/** Of the file: more than the most keys with the most buckets have. */
const MAX_FILE = 2 * 1024 * 1024

/**
 * The keys of the S3 API. A signature is checked with the secret itself, so that is kept, in a file that is sealed under a
 * key of the person's (docs/specs/s3.md, Keys).
 */
export class S3Keys implements Credentials, Disposable {
  readonly #path: string
  readonly #clock: Clock
  readonly #sealKey: Uint8Array
  #keys: ReadonlyMap<string, StoredKey>

  /** @throws WeftError E_S3_KEYS_FILE when the file is there and cannot be used */
  constructor(path: string, personKey: SigningKey, clock: Clock) {
    this.#path = path
    this.#clock = clock
    const seed = personKey.seed()
    this.#sealKey = hkdf(seed, new Uint8Array(0), INFO, 32)
    wipe(seed)
    this.#keys = this.#read()
  }

  get size(): number {
    return this.#keys.size
  }

  list(): readonly S3KeyInfo[] {
    return [...this.#keys.values()].map(infoOf)
  }

  find(accessKeyId: string): Credential | undefined {
    const key = this.#keys.get(accessKeyId)
    if (key === undefined) return undefined
    const buckets = key.buckets === undefined ? 'all' : new Set(key.buckets)
    return { accessKeyId, secretAccessKey: key.secretAccessKey, scope: { buckets, access: key.access } }
  }

  /**
   * Makes a key; its secret is in the answer, and sealed in the file.
   * @throws WeftError E_S3_KEY_NAME_TAKEN, E_S3_KEY_LIMIT, E_S3_KEYS_FILE
   */
  create({ name, buckets, access }: S3KeyGrant): S3KeyInfo & { readonly secretAccessKey: string } {
    if (name !== undefined && this.#named(name) !== undefined) {
      throw new WeftError({
        code: 'E_S3_KEY_NAME_TAKEN',
        cause: `There is a key of the S3 API named '${name}' already.`,
        fix: `Choose another name, or revoke that one: weft s3 key revoke ${name}.`,
      })
    }
    if (this.#keys.size >= MAX_KEYS) {
      throw new WeftError({
        code: 'E_S3_KEY_LIMIT',
        cause: `There are ${MAX_KEYS} keys of the S3 API, which is the limit.`,
        fix: 'Revoke those that are not used: weft s3 key list, weft s3 key revoke KEY.',
      })
    }
    // As long as those of AWS: clients check that.
    const accessKeyId = `WEFT${toBase32(systemRandom.bytes(10)).toUpperCase()}`
    const secretAccessKey = toBase64Url(systemRandom.bytes(30))
    const createdAt = this.#clock.now()
    const key: StoredKey = { accessKeyId, name: name ?? accessKeyId, buckets, access, createdAt, secretAccessKey }
    this.#save(new Map([...this.#keys, [accessKeyId, key]]))
    return { ...infoOf(key), secretAccessKey }
  }

  /** @param which its access key id, or its name. @throws WeftError E_S3_KEY_UNKNOWN, E_S3_KEYS_FILE */
  revoke(which: string): S3KeyInfo {
    const found = this.#keys.get(which) ?? this.#named(which)
    if (found === undefined) {
      throw new WeftError({
        code: 'E_S3_KEY_UNKNOWN',
        cause: `There is no key of the S3 API with the id or name '${which.slice(0, 64)}'.`,
        fix: 'See weft s3 key list.',
      })
    }
    this.#save(new Map([...this.#keys].filter(([id]) => id !== found.accessKeyId)))
    return infoOf(found)
  }

  [Symbol.dispose](): void {
    wipe(this.#sealKey)
  }

  #named(name: string): StoredKey | undefined {
    return [...this.#keys.values()].find((key) => key.name === name)
  }

  #save(keys: ReadonlyMap<string, StoredKey>): void {
    const temporary = `${this.#path}.new`
    const nonce = systemRandom.bytes(NONCE_SIZE)
    const cipher = createCipheriv('aes-256-gcm', this.#sealKey, nonce).setAAD(utf8(INFO))
    const plain = utf8(JSON.stringify({ schemaVersion: 1, keys: [...keys.values()] }))
    try {
      const sealed = concatBytes([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      writeFileSync(temporary, sealed, { mode: 0o600, flush: true })
      renameSync(temporary, this.#path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw keysFile(this.#path, messageOf(error), 'Make room on the disk and the home writable, and try again.')
    } finally {
      wipe(plain)
    }
    this.#keys = keys
  }

  #read(): ReadonlyMap<string, StoredKey> {
    let sealed: Uint8Array
    try {
      sealed = readFileSync(this.#path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
      throw keysFile(this.#path, messageOf(error), 'Make it readable for the user that runs the daemon.')
    }
    const keys = this.#open(sealed)
    if (keys === undefined) {
      const fix = 'Restore person.key and it from one backup; or remove it: all keys are then revoked.'
      throw keysFile(this.#path, 'it is damaged, or was sealed with the key of another person', fix)
    }
    return new Map(keys.map((key) => [key.accessKeyId, key]))
  }

  #open(sealed: Uint8Array): readonly StoredKey[] | undefined {
    const end = sealed.length - TAG_SIZE
    if (end < NONCE_SIZE || sealed.length > MAX_FILE) return undefined
    try {
      const nonce = sealed.subarray(0, NONCE_SIZE)
      const decipher = createDecipheriv('aes-256-gcm', this.#sealKey, nonce, { authTagLength: TAG_SIZE })
      decipher.setAAD(utf8(INFO)).setAuthTag(sealed.subarray(end))
      const plain = concatBytes([decipher.update(sealed.subarray(NONCE_SIZE, end)), decipher.final()])
      // Only this process and its like can have written what opens.
      const { schemaVersion, keys } = JSON.parse(new TextDecoder().decode(plain)) as {
        readonly schemaVersion: number
        readonly keys: readonly StoredKey[]
      }
      wipe(plain)
      return schemaVersion === 1 ? keys : undefined
    } catch {
      return undefined
    }
  }
}

function infoOf({ accessKeyId, name, buckets, access, createdAt }: StoredKey): S3KeyInfo {
  return { accessKeyId, name, ...(buckets !== undefined && { buckets }), access, createdAt }
}

function keysFile(path: string, why: string, fix: string): WeftError {
  return new WeftError({ code: 'E_S3_KEYS_FILE', cause: `The file of S3 keys ${path} cannot be used: ${why}.`, fix })
}
