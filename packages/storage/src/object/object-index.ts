import { createCipheriv, createDecipheriv } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  type Random,
  WeftError,
  ensureDirectory,
  fromBase64Url,
  fromUtf8,
  messageOf,
  toBase64Url,
  utf8,
} from '@weft/core'
import { type SigningKey, hkdf, wipe } from '@weft/crypto'
import type { StoredObject } from '../storage.ts'
import { TAG_SIZE } from './object-layout.ts'

const NONCE_SIZE = 12
/** Of what is encrypted: secrets and names, nothing that the table shows beside it. */
interface Sealed {
  readonly name: string
  readonly ref: string
  readonly seed: string
  /** Left out of what was put openly. */
  readonly private?: true
}

interface Row {
  readonly object: string
  readonly size: number
  readonly class: string
  readonly created_at: number
  readonly expires_at: number
  readonly sealed: Uint8Array
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS objects (
    object TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    class TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
`

const INSERT = 'INSERT INTO objects (object, size, class, created_at, expires_at, sealed) VALUES (?, ?, ?, ?, ?, ?)'

/**
 * What this person has put: names, references and the objects' own keys, encrypted under a key derived from the
 * person's, so that the file alone opens nothing.
 */
export class ObjectIndex implements Disposable {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #key: Uint8Array
  readonly #random: Random
  readonly #objects = new Map<string, StoredObject>()

  /** @throws WeftError E_OBJECT_INDEX when the file cannot be opened or belongs to another person. */
  constructor(directory: string, personKey: SigningKey, random: Random) {
    const seed = personKey.seed()
    this.#key = hkdf(seed, new Uint8Array(0), 'weft:object-index:v1', 32)
    wipe(seed)
    this.#random = random
    const path = join(directory, 'objects.sqlite')
    try {
      ensureDirectory(directory)
      this.#database = new DatabaseSync(path)
      this.#database.exec(SCHEMA)
      this.#insert = this.#database.prepare(INSERT)
      for (const row of this.#database.prepare('SELECT * FROM objects').all() as unknown as Row[]) {
        const { name, ref, private: isPrivate = false } = this.#open(row)
        this.#objects.set(row.object, {
          ref,
          object: row.object,
          name,
          size: row.size,
          class: row.class,
          createdAt: row.created_at,
          expiresAt: row.expires_at,
          private: isPrivate,
        })
      }
    } catch (error) {
      throw new WeftError({
        code: 'E_OBJECT_INDEX',
        cause: `The list of own objects ${path} cannot be used: ${messageOf(error)}.`,
        fix: 'Check that the state directory is writable and that person.key is the one it was made with; else restore both from a backup.',
        origin: error,
      })
    }
  }

  /** Durable when it returns. @param seed secret seed of the object's own key, with which its owner renews or releases it. */
  add(object: StoredObject, seed: Uint8Array): void {
    const plain: Sealed = {
      name: object.name,
      ref: object.ref,
      seed: toBase64Url(seed),
      ...(object.private && { private: true }),
    }
    const nonce = this.#random.bytes(NONCE_SIZE)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(utf8(object.object))
    const sealed = Buffer.concat([
      nonce,
      cipher.update(utf8(JSON.stringify(plain))),
      cipher.final(),
      cipher.getAuthTag(),
    ])
    this.#insert.run(object.object, object.size, object.class, object.createdAt, object.expiresAt, sealed)
    this.#objects.set(object.object, object)
  }

  /** Whether this node put the object over routes. */
  isPrivate(object: string): boolean {
    return this.#objects.get(object)?.private === true
  }

  /** Newest first; without those that expired before `now` (ms since the epoch). */
  list(now: number): readonly StoredObject[] {
    return [...this.#objects.values()]
      .filter((object) => object.expiresAt > now)
      .sort((a, b) => b.createdAt - a.createdAt || (a.object < b.object ? -1 : 1))
  }

  [Symbol.dispose](): void {
    this.#database.close()
    wipe(this.#key)
  }

  #open({ object, sealed }: Row): Sealed {
    const end = sealed.length - TAG_SIZE
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, NONCE_SIZE), {
      authTagLength: TAG_SIZE,
    })
    decipher.setAAD(utf8(object)).setAuthTag(sealed.subarray(end))
    const plain = Buffer.concat([decipher.update(sealed.subarray(NONCE_SIZE, end)), decipher.final()])
    const opened = JSON.parse(fromUtf8(plain)) as Sealed
    fromBase64Url(opened.seed)
    return opened
  }
}
