import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { concatBytes, ensureDirectory, isDiskFull, messageOf, WeftError } from '@weft/core'
import { TOKEN_BYTES, wipe } from '@weft/crypto'
import { epochBytes } from './receipt-epoch.ts'
import type { OwnToken } from './spend.ts'

const EPOCH = 4
const SEED = 32
const PLACE = EPOCH + SEED + TOKEN_BYTES

/**
 * The tokens of a client, in a file of mode 0600: places of 390 bytes, epoch 4 ‖ seed 32 ‖ token 354, of zeros where there is none. What is taken out
 * is overwritten first, so that a crash loses it and never leaves it to be spent twice.
 */
export class WalletFile implements Disposable {
  readonly #path: string
  readonly #file: number
  readonly #tokens: { readonly place: number; readonly token: OwnToken }[] = []
  readonly #free: number[] = []
  #places = 0

  /** @throws WeftError E_DISK_FULL, E_WALLET_FILE */
  constructor(path: string) {
    this.#path = path
    try {
      ensureDirectory(dirname(path))
      this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
      this.#read()
    } catch (error) {
      throw walletError(path, error)
    }
  }

  /** Tokens that are there. */
  get tokens(): readonly OwnToken[] {
    return this.#tokens.map(({ token }) => token)
  }

  /** On disk when it returns. @throws WeftError E_DISK_FULL, E_WALLET_FILE */
  add(tokens: readonly OwnToken[]): void {
    try {
      for (const token of tokens) {
        const place = this.#free.pop() ?? this.#places++
        const bytes = concatBytes([epochBytes(token.epoch), token.seed, token.token])
        writeSync(this.#file, bytes, 0, PLACE, place * PLACE)
        wipe(bytes)
        this.#tokens.push({ place, token })
      }
      fsyncSync(this.#file)
    } catch (error) {
      throw walletError(this.#path, error)
    }
  }

  /** Takes out the first of those that are asked for, so many at most; their places are of zeros on disk when it returns. @throws WeftError E_DISK_FULL, E_WALLET_FILE */
  remove(most: number, which: (token: OwnToken) => boolean): readonly OwnToken[] {
    const out = this.#tokens.filter(({ token }) => which(token)).slice(0, most)
    if (out.length === 0) return []
    try {
      for (const { place } of out) writeSync(this.#file, new Uint8Array(PLACE), 0, PLACE, place * PLACE)
      fsyncSync(this.#file)
    } catch (error) {
      throw walletError(this.#path, error)
    }
    const gone = new Set(out)
    const left = this.#tokens.filter((one) => !gone.has(one))
    this.#tokens.splice(0, this.#tokens.length, ...left)
    this.#free.push(...out.map(({ place }) => place))
    return out.map(({ token }) => token)
  }

  [Symbol.dispose](): void {
    for (const { token } of this.#tokens) wipe(token.seed)
    closeSync(this.#file)
  }

  #read(): void {
    const { size, mode } = fstatSync(this.#file)
    if ((mode & 0o077) !== 0) throw new Error(`others may read it (mode ${(mode & 0o777).toString(8)})`)
    this.#places = Math.floor(size / PLACE)
    // Half a place is what a crash left.
    ftruncateSync(this.#file, this.#places * PLACE)
    for (let place = 0; place < this.#places; place++) {
      const bytes = new Uint8Array(PLACE)
      readSync(this.#file, bytes, 0, PLACE, place * PLACE)
      if (bytes.every((byte) => byte === 0)) {
        this.#free.push(place)
        continue
      }
      const epoch = new DataView(bytes.buffer).getUint32(0)
      const token = { epoch, seed: bytes.slice(EPOCH, EPOCH + SEED), token: bytes.slice(EPOCH + SEED) }
      this.#tokens.push({ place, token })
      wipe(bytes)
    }
  }
}

function walletError(path: string, error: unknown): WeftError {
  if (error instanceof WeftError) return error
  const full = isDiskFull(error)
  return new WeftError({
    code: full ? 'E_DISK_FULL' : 'E_WALLET_FILE',
    cause: `The tokens of this node in ${path} cannot be used: ${messageOf(error)}.`,
    fix: full
      ? 'Free some space on its disk, or choose another home with --home or WEFT_HOME.'
      : `Make it a file of the user that runs the daemon alone (chmod 600 ${path}); without it new tokens are fetched.`,
    origin: error,
  })
}
