import { statfs } from 'node:fs/promises'
import type { Fault } from '@weft/core'
import { diskError, diskFull, quotaExceeded } from './blob-error.ts'
import { PeerShares } from './peer-shares.ts'

/**
 * What a shard costs beside its bytes, by the quota: its row of the index, its share of the index's indexes, and what is
 * kept of it in memory while it is put. Without it, shards of one byte would be nearly free.
 */
const SHARD_OVERHEAD = 512

/** Bytes that a shard takes of a quota. */
export function chargeOf(length: number, shards = 1): number {
  return length + shards * SHARD_OVERHEAD
}

export interface SpaceLimits {
  /** Bytes of shards that the holder keeps at most. */
  readonly quotaBytes: number
  /** Bytes of the disk that stay free for others. */
  readonly reserveBytes: number
  /** Whether a peer is in the map: the others together get a part of the quota only. */
  readonly isMember: (peer: string) => boolean
}

/** What one peer has here. */
export interface PeerHeld {
  readonly peer: string
  readonly shards: number
  readonly bytes: number
}

/** Counts what is kept and what is being written, so that a put is refused before its first byte and not in the middle. */
export class BlobSpace {
  readonly #directory: string
  readonly #limits: SpaceLimits
  readonly #missing: () => number
  readonly #shares: PeerShares
  #shards = 0
  #bytes = 0
  #reserved = 0
  #lastFree = Number.POSITIVE_INFINITY

  /** @param missing bytes that are still to be taken of the disk for notes. */
  constructor(directory: string, limits: SpaceLimits, held: readonly PeerHeld[], missing: () => number) {
    this.#directory = directory
    this.#missing = missing
    this.#limits = limits
    this.#shares = new PeerShares(limits.quotaBytes, limits.isMember)
    for (const { peer, shards, bytes } of held) this.#add(peer, shards, bytes)
  }

  get held(): { readonly shards: number; readonly bytes: number } {
    return { shards: this.#shards, bytes: this.#bytes }
  }

  /** Sets aside what a shard of `length` bytes that `peer` puts takes; the returned function gives it back, once. @throws WeftError E_QUOTA, E_DISK_FULL */
  async reserve(length: number, peer: string): Promise<() => void> {
    const { quotaBytes } = this.#limits
    const charge = chargeOf(length)
    const taken = this.#taken + this.#reserved
    if (taken + charge > quotaBytes && !this.#shares.isTrial(peer, length)) {
      throw quotaExceeded(`${taken} of its ${quotaBytes} bytes are taken and ${charge} more are asked for`)
    }
    this.#shares.check(peer, length, charge)
    const set = (sign: 1 | -1): void => {
      this.#reserved += sign * charge
      this.#shares.add(peer, sign * charge)
    }
    set(1)
    let given = false
    const giveBack = (): void => {
      if (!given) set(-1)
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
    this.#lastFree = bavail * bsize - this.#limits.reserveBytes - this.#missing()
    return this.#lastFree
  }

  /** Why nothing more can be taken, by the last look at the disk; undefined when there is room. */
  fault(): Fault | undefined {
    const { quotaBytes, reserveBytes } = this.#limits
    if (this.#taken >= quotaBytes) {
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

  get #taken(): number {
    return chargeOf(this.#bytes, this.#shards)
  }

  /** A shard of `peer` is stored. */
  add(peer: string, length: number): void {
    this.#add(peer, 1, length)
  }

  /** A shard of `peer` is gone. */
  remove(peer: string, length: number): void {
    this.#add(peer, -1, -length)
  }

  /** @throws WeftError E_QUOTA when what the peer put may not stay */
  checkCommit(peer: string): void {
    this.#shares.checkCommit(peer)
    const { quotaBytes } = this.#limits
    if (this.#taken > quotaBytes && this.#shares.isStranger(peer)) {
      throw quotaExceeded(`${this.#taken} of its ${quotaBytes} bytes are taken`)
    }
  }

  #add(peer: string, shards: number, bytes: number): void {
    this.#shards += shards
    this.#bytes += bytes
    this.#shares.add(peer, chargeOf(bytes, shards))
  }
}
