import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { isDiskFull, isWeftError } from '@weft/core'
import { CoalescedSync } from './coalesced-sync.ts'

/** Room for the notes of some hundred removals, bytes. */
export const RESERVE = 4 * 1024 * 1024
const PIECE = 64 * 1024

/**
 * Room on the disk that is taken in advance, for what has to be written down so that something can go: a full disk could
 * not even note that. It is given back to the disk when that is needed, and taken again when there is room.
 */
export class DiskReserve implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #lending = new CoalescedSync(() => this.#file.truncate(0))
  #taken: number

  static async open(directory: string): Promise<DiskReserve> {
    const file = await open(join(directory, 'reserve'), 'a+', 0o600)
    return new DiskReserve(file, (await file.stat()).size)
  }

  private constructor(file: FileHandle, taken: number) {
    this.#file = file
    this.#taken = taken
  }

  /** Bytes that it still has to take of the disk. */
  get missing(): number {
    return Math.max(0, RESERVE - this.#taken)
  }

  /** Takes what is missing, as far as there is room. */
  async fill(): Promise<void> {
    try {
      while (this.missing > 0) {
        // Bytes that do not compress: some file systems take no room for others.
        const piece = randomBytes(Math.min(PIECE, this.missing))
        this.#taken += (await this.#file.write(piece)).bytesWritten
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error
    }
  }

  /** Runs `work`, and once more with the room of the reserve when the disk is full. @throws what `work` throws */
  async use<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isWeftError(error, 'E_DISK_FULL')) throw error
      await this.#lending.sync()
      this.#taken = 0
      return work()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}
