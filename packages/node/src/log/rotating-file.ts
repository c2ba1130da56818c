import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

export interface RotatingFileOptions {
  readonly path: string
  /** Bytes. */
  readonly maxSize: number
  /** Files kept, the current one included. */
  readonly files: number
}

/**
 * An append-only log of bounded size: `daemon.log`, then `daemon.log.1` and so on, the oldest dropped. Lines are
 * written at once, so that the last words of a dying process are in it. A disk that is full costs lines, not the
 * daemon: they are counted, and the first that is written again begins on a line of its own.
 */
export class RotatingFile implements Disposable {
  readonly #options: RotatingFileOptions
  #descriptor: number
  #size: number
  #dropped = 0
  /** The file ends inside a line. */
  #torn = false

  constructor(options: RotatingFileOptions) {
    this.#options = options
    this.#descriptor = openSync(options.path, 'a', 0o600)
    this.#size = fstatSync(this.#descriptor).size
  }

  /** Lines that could not be written, wholly or in part, since the last one that could. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line)
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#options.maxSize) this.#rotate()
      const written = writeSync(this.#descriptor, bytes)
      this.#size += written
      // A disk that fills up takes a part of the last line.
      this.#torn = written < bytes.length
    } catch {
      this.#dropped++
      return
    }
    this.#dropped = this.#torn ? this.#dropped + 1 : 0
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }

  #rotate(): void {
    const { path, files } = this.#options
    const name = (index: number): string => (index === 0 ? path : `${path}.${index}`)
    rmSync(name(files - 1), { force: true })
    for (let index = files - 2; index >= 0; index--) {
      try {
        renameSync(name(index), name(index + 1))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    const fresh = openSync(path, 'a', 0o600)
    closeSync(this.#descriptor)
    this.#descriptor = fresh
    this.#size = fstatSync(fresh).size
  }
}
