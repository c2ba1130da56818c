import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const BLOCK = new Uint8Array(4096)

/** A file system of its own in memory, which can be filled. Needs root. */
export class SmallDisk implements Disposable {
  readonly path: string

  /** Mounts `megabytes` at `path`, which is made; only root may enter it. */
  constructor(path: string, megabytes: number) {
    this.path = path
    mkdirSync(path, { recursive: true, mode: 0o700 })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'weft-test', path])
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.path)
    return bavail * bsize
  }

  /** Takes every block but those for `leave` bytes. */
  fill(leave = 0): void {
    const file = openSync(this.#filler, 'a')
    try {
      while (this.free > leave) writeSync(file, BLOCK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(file)
    }
  }

  /** Gives back what {@link fill} took. */
  empty(): void {
    rmSync(this.#filler)
  }

  [Symbol.dispose](): void {
    // Threads of a process that ended a moment ago may still hold files of it: it goes when they do.
    execFileSync('umount', ['--lazy', this.path])
  }

  get #filler(): string {
    return join(this.path, 'filler')
  }
}
