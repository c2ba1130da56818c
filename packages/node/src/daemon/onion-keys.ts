import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Clock,
  Emitter,
  type Logger,
  type Scope,
  ensureDirectory,
  equalBytes,
  messageOf,
  systemRandom,
  toHex,
} from '@weft/core'
import {
  HALF_WRITTEN,
  type X25519KeyPair,
  eraseSecret,
  moveSecret,
  readSecret,
  wipe,
  writeSecret,
  x25519KeyPair,
} from '@weft/crypto'
import { MAP_MAX_AGE_MS, type OnionKeySource } from '@weft/overlay'

export interface OnionKeysInit {
  /** Where they lie, each in a file. */
  readonly directory: string
  /** The key of a home of before, or of a devnet: the first one. */
  readonly firstKey: string
  /** ms for which a key is good that a newer map has no more. */
  readonly overlapMs: number
  readonly clock: Clock
  readonly logger: Logger
}

interface OnionKey {
  readonly pair: X25519KeyPair
  /** Name of its file. */
  name: string
  /** ms since the Unix epoch: when it is to be erased; undefined as long as no certificate has it. */
  until: number | undefined
}

/** More certificates than this within an overlap have no key of their own. */
const MOST_KEYS = 16
/** ms after which is looked again at what could not be erased; and at most until the next look, as clocks are set. */
const AGAIN_MS = 60_000
const LOOK_MS = 3_600_000

/** Its public half, and when it is to be erased. */
const NAME = /^([0-9a-f]{64})(?:\.(\d{1,16}))?\.key$/

/**
 * The onion keys in the home of a node that carries packets: that of the certificate in force, those of before that clients with
 * an older map may still use, and one for the certificate that is applied for. What has to be known of a key stands in the name of its file,
 * so that a crash leaves nothing that contradicts itself. Secrets lie in shared memory: packet threads have no copies, and see them wiped.
 */
export class OnionKeys implements OnionKeySource {
  readonly #init: OnionKeysInit
  readonly #keys: OnionKey[] = []
  readonly #emitter = new Emitter<{ change: readonly X25519KeyPair[] }>()
  /** That of this node in the map that it holds. */
  #listed: Uint8Array | undefined
  /** Names of files that could not be erased; nothing of them is in memory any more. */
  readonly #left = new Set<string>()
  #erases = false
  #cancel: (() => void) | undefined

  /** Reads them, and makes one where there is none. @throws WeftError E_KEY_FILE; system errors of the directory */
  constructor(init: OnionKeysInit) {
    this.#init = init
    const { directory, firstKey } = init
    ensureDirectory(directory)
    const first = readPair(firstKey)
    if (first !== undefined) moveSecret(firstKey, this.#path(nameOf(first)))
    if (first !== undefined) wipe(first.secretKey)
    for (const name of readdirSync(directory)) this.#read(name)
    this.#sort()
    if (this.#keys.length === 0) this.#make()
  }

  /** Those in use, newest first. */
  get pairs(): readonly X25519KeyPair[] {
    return this.#keys.map(({ pair }) => pair)
  }

  /** Calls back with all that are in use, newest first; returns the unsubscribe function. */
  onChange(listener: (pairs: readonly X25519KeyPair[]) => void): () => void {
    return this.#emitter.on('change', listener)
  }

  /** Erases from now on what is no longer needed: once it is known what the map says of this node. */
  start(scope: Scope): void {
    this.#erases = true
    scope.defer('onion keys', () => this.#cancel?.())
    this.#erase()
  }

  next(): Uint8Array {
    const fresh = this.#keys.find(({ until }) => until === undefined)
    if (fresh !== undefined) return fresh.pair.publicKey
    const [newest] = this.#keys as [OnionKey]
    if (this.#keys.length >= MOST_KEYS) return newest.pair.publicKey
    try {
      return this.#make().pair.publicKey
    } catch (error) {
      // A disk that is full must not cost the node its membership.
      this.#init.logger.warn('the certificate keeps its onion key, as a new one cannot be kept', {
        cause: messageOf(error),
      })
      return newest.pair.publicKey
    }
  }

  has(publicKey: Uint8Array): boolean {
    return this.#find(publicKey) !== undefined
  }

  certified(publicKey: Uint8Array, expiresAt: number): void {
    const key = this.#find(publicKey)
    if (key === undefined) return
    this.#keepUntil(key, Math.max(key.until ?? 0, expiresAt + this.#init.overlapMs))
    this.#sort()
    this.#erase()
  }

  listed(self: Parameters<OnionKeySource['listed']>[0]): void {
    this.#listed = self?.packets?.onionKey
    if (self !== undefined) {
      const { overlapMs, clock } = this.#init
      const end = self.expiresAt + overlapMs
      for (const key of this.#keys) {
        if (this.#isListed(key)) this.#keepUntil(key, end)
        // Of an older certificate: a proposer may list one for a while although there is a newer one.
        else if (key.until !== undefined && key.until <= end)
          this.#keepUntil(key, Math.min(key.until, clock.now() + overlapMs))
      }
    }
    this.#sort()
    this.#erase()
  }

  #path(name: string): string {
    return join(this.#init.directory, name)
  }

  #find(publicKey: Uint8Array): OnionKey | undefined {
    return this.#keys.find(({ pair }) => equalBytes(pair.publicKey, publicKey))
  }

  #isListed({ pair }: OnionKey): boolean {
    return this.#listed !== undefined && equalBytes(pair.publicKey, this.#listed)
  }

  #sort(): void {
    this.#keys.sort((a, b) => (b.until ?? Infinity) - (a.until ?? Infinity))
  }

  #read(name: string): void {
    const [, publicKey, until] = NAME.exec(name) ?? []
    if (publicKey === undefined) {
      if (HALF_WRITTEN.test(name)) eraseSecret(this.#path(name))
      return
    }
    const pair = readPair(this.#path(name))
    if (pair === undefined) return
    if (toHex(pair.publicKey) === publicKey) {
      this.#keys.push({ pair, name, until: until === undefined ? undefined : Number(until) })
      return
    }
    // The daemon ended while it erased it.
    wipe(pair.secretKey)
    eraseSecret(this.#path(name))
  }

  /** @throws WeftError E_KEY_FILE */
  #make(): OnionKey {
    const pair = sharedPair(systemRandom.bytes(32))
    const name = nameOf(pair)
    try {
      writeSecret(this.#path(name), pair.secretKey)
    } catch (error) {
      wipe(pair.secretKey)
      throw error
    }
    const key = { pair, name, until: undefined }
    this.#keys.unshift(key)
    this.#emitter.emit('change', this.pairs)
    return key
  }

  #keepUntil(key: OnionKey, until: number): void {
    if (key.until === until) return
    key.until = until
    const name = nameOf(key.pair, until)
    try {
      moveSecret(this.#path(key.name), this.#path(name))
      key.name = name
    } catch (error) {
      // Renamed, and not sure to be so after a crash.
      if (existsSync(this.#path(name))) key.name = name
      this.#init.logger.warn('how long an onion key is needed could not be kept', { cause: messageOf(error) })
    }
  }

  /** When it is to be erased: that of the map in use not before nobody uses that map any more. */
  #end(key: OnionKey): number {
    return (key.until ?? Infinity) + (this.#isListed(key) ? MAP_MAX_AGE_MS : 0)
  }

  /** One that cannot be erased does not keep the others. Whether any is left. */
  #eraseLeft(): boolean {
    for (const name of this.#left)
      try {
        eraseSecret(this.#path(name))
        this.#left.delete(name)
      } catch (error) {
        this.#init.logger.warn('an onion key that is over could not be erased', { cause: messageOf(error) })
      }
    return this.#left.size > 0
  }

  #erase(): void {
    if (!this.#erases) return
    const { clock, logger } = this.#init
    this.#cancel?.()
    try {
      const now = clock.now()
      const over = new Set(this.#keys.filter((key) => this.#end(key) <= now))
      // There is always one to apply with.
      if (over.size === this.#keys.length) this.#make()
      if (over.size > 0) {
        this.#keys.splice(0, Infinity, ...this.#keys.filter((key) => !over.has(key)))
        this.#emitter.emit('change', this.pairs)
        for (const { pair, name } of over) {
          wipe(pair.secretKey)
          this.#left.add(name)
        }
      }
      const again = this.#eraseLeft() ? AGAIN_MS : Infinity
      const next = Math.min(...this.#keys.map((key) => this.#end(key)))
      this.#cancel = clock.after(Math.min(LOOK_MS, again, next - now), () => this.#erase())
    } catch (error) {
      logger.warn('onion keys that are over could not be replaced', { cause: messageOf(error) })
      this.#cancel = clock.after(AGAIN_MS, () => this.#erase())
    }
  }
}

function nameOf({ publicKey }: X25519KeyPair, until?: number): string {
  return `${toHex(publicKey)}${until === undefined ? '' : `.${until}`}.key`
}

function readPair(path: string): X25519KeyPair | undefined {
  const secret = readSecret(path)
  return secret === undefined ? undefined : sharedPair(secret)
}

/** @param secret is wiped */
function sharedPair(secret: Uint8Array): X25519KeyPair {
  const secretKey = new Uint8Array(new SharedArrayBuffer(secret.length))
  secretKey.set(secret)
  wipe(secret)
  return x25519KeyPair(secretKey)
}
