import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import binding from 'sodium-native/binding.js'

type Functions = Record<string, (...args: never[]) => unknown>

/** Calls `see` with the arguments and the result of each call of a function. Returns what puts it back. */
function watch(of: object, name: string, see: (args: readonly unknown[], result: unknown) => void): () => void {
  const functions = of as Functions
  const original = functions[name]
  assert.ok(original !== undefined, name)
  functions[name] = function (this: unknown, ...args) {
    const result = original.apply(this, args)
    see(args, result)
    return result
  }
  return () => (functions[name] = original)
}

/** The hashes that keys of circuits come from; BLAKE2s without a key is taken of what everybody sees. */
const KEY_HASHES: ReadonlySet<unknown> = new Set(['sha3-256', 'shake256'])

/**
 * Every buffer that a secret was in: keys that libsodium was given, and what it and node:crypto derived. They are kept by
 * reference, so that a test sees what is in them in the end, with what was in them when they were noted.
 */
export class SecretWatch implements Disposable {
  readonly #noted = new Map<Uint8Array, { readonly what: string; readonly was: Buffer }>()
  readonly #undo: (() => void)[] = []

  constructor() {
    this.#argument('crypto_scalarmult', 1, 'a secret key of X25519')
    this.#argument('crypto_scalarmult', 0, 'a shared secret of X25519')
    this.#argument('crypto_scalarmult_base', 1, 'a new secret key of X25519')
    this.#argument('crypto_aead_chacha20poly1305_ietf_encrypt', 4, 'a key that sealed')
    this.#argument('crypto_aead_chacha20poly1305_ietf_decrypt', 4, 'a key that opened')
    this.#argument('crypto_stream_chacha20_ietf_xor_ic', 4, 'a key of header protection')
    this.#undo.push(
      watch(crypto.Hmac.prototype, 'digest', (_, result) => this.#note(result as Buffer, 'an output of HKDF')),
      watch(crypto, 'createHash', ([algorithm], hash) => {
        if (KEY_HASHES.has(algorithm))
          watch(hash as object, 'digest', (_, result) =>
            this.#note(result as Buffer, `an output of ${String(algorithm)}`),
          )
      }),
      watch(crypto, 'encapsulate', (_, result) =>
        this.#note((result as { sharedKey: Buffer }).sharedKey, 'a secret of ML-KEM, made'),
      ),
      watch(crypto, 'decapsulate', (_, result) => this.#note(result as Buffer, 'a secret of ML-KEM, opened')),
    )
    syncBuiltinESMExports()
  }

  get size(): number {
    return this.#noted.size
  }

  /** What was in the buffers. */
  get secrets(): Buffer[] {
    return [...this.#noted.values()].map(({ was }) => was)
  }

  clear(): void {
    this.#noted.clear()
  }

  /** What still stands in them, without what may. */
  left(isKept: (bytes: Uint8Array) => boolean): string[] {
    const seen = new Map<ArrayBufferLike, number>()
    return [...this.#noted].flatMap(([bytes, { what }]) => {
      if (bytes.every((byte) => byte === 0) || isKept(bytes) || seen.get(bytes.buffer) === bytes.byteOffset) return []
      seen.set(bytes.buffer, bytes.byteOffset)
      return what
    })
  }

  [Symbol.dispose](): void {
    for (const restore of this.#undo) restore()
    syncBuiltinESMExports()
  }

  #argument(name: string, at: number, what: string): void {
    this.#undo.push(watch(binding, name, (args) => this.#note(args[at] as Uint8Array, what)))
  }

  #note(bytes: Uint8Array, what: string): void {
    if (!this.#noted.has(bytes)) this.#noted.set(bytes, { what, was: Buffer.from(bytes) })
  }
}
