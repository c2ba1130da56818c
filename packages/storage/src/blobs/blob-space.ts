import { statfs } from 'node:fs/promises'
import type { Fault } from '@weft/core'
import { diskError, diskFull, quotaExceeded } from './blob-error.ts'

export interface SpaceLimits {
  /** Bytes of shards that the holder keeps at most. */
  readonly quotaBytes: number
  /** Bytes of the disk that stay free for others. */
  readonly reserveBytes: number
}

/** Counts what is kept and what is being written, so that a put is refused before its first byte and not in the middle. */
export class BlobSpace {
  readonly #directory: string
  readonly #limits: SpaceLimits
  #shards: number
  #bytes: number
  #reserved = 0
  #lastFree = Number.POSITIVE_INFINITY

  constructor(directory: string, limits: SpaceLimits, held: { shards: number; bytes: number }) {
    this.#directory = directory
    this.#limits = limits
    this.#shards = held.shards
    this.#bytes = held.bytes
  }

  get held(): { readonly shards: number; readonly bytes: number } {
    return { shards: this.#shards, bytes: this.#bytes }
  }

  /** Sets `length` bytes aside; the returned function gives them back, once. @throws WeftError E_QUOTA, E_DISK_FULL */
  async reserve(length: number): Promise<() => void> {
    const { quotaBytes } = this.#limits
    if (this.#bytes + this.#reserved + length > quotaBytes) {
      throw quotaExceeded(
        `${this.#bytes + this.#reserved} of its ${quotaBytes} bytes are taken and ${length} more are asked for`,
      )
    }
    this.#reserved += length
    let given = false
    const giveBack = (): void => {
      if (!given) this.#reserved -= length
      given = true
    }
    try {
      const free = await this.free()
      if (free < this.#reserved) {
        throw diskFull(
          `its disk has room for ${Math.max(0, free)} bytes beside the reserve of ${this.#limits.reserveBytes}`,
        )
      }
      return giveBack
    } catch (error) {
      giveBack()
      throw diskError(error, 'asking for free space')
    }
  }

  /** Bytes of the disk that may be used for shards; negative when the reserve is touched already. */
  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#directory)
    this.#lastFree = bavail * bsize - this.#limits.reserveBytes
    return this.#lastFree
  }

  /** Why nothing more can be taken, by the last look at the disk; undefined when there is room. */
  fault(): Fault | undefined {
    const { quotaBytes, reserveBytes } = this.#limits
    if (this.#bytes >= quotaBytes) {
      return {
        code: 'E_QUOTA',
        cause: `All ${quotaBytes} bytes for shards are taken.`,
        fix: 'Raise storage.quota in weft.toml.',
      }
    }
    if (this.#lastFree > 0) return undefined
    return {
      code: 'E_DISK_FULL',
      cause: `The disk has nothing left for shards beside the reserve of ${reserveBytes} bytes.`,
      fix: 'Free space on the disk, or lower storage.reserve in weft.toml.',
    }
  }

  add(shards: number, bytes: number): void {
    this.#shards += shards
    this.#bytes += bytes
  }
}
