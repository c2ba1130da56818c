import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, ensureDirectory, systemRandom, toBase32 } from '@weft/core'
import { stateUnwritable } from '../daemon/state-directory.ts'
import { secretHash } from './secret.ts'
import { LINK_TTL_MS, MAX_LINKS } from './session-store.ts'

interface LinkFile {
  readonly path: string
  readonly forget: () => void
}

/**
 * Pages of mode 0600 that lead a browser to a one-use link. A program that opens a browser names it such a file, since
 * every user of a machine can read the command lines of the others. A file goes when its link is used or over.
 */
export class LinkFiles implements Disposable {
  readonly #directory: string
  readonly #clock: Clock
  /** By the hash of the link's code. */
  readonly #files = new Map<string, LinkFile>()

  /** @param directory for these files alone; what a daemon that was killed left there goes */
  constructor(directory: string, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
    remove(directory)
  }

  /**
   * Writes the page of a link. Beyond 32 the oldest goes, as its link did.
   * @param url of characters that need no escape in HTML
   * @returns its path, which tells nothing of the link
   * @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL
   */
  write(code: string, url: string): string {
    const path = join(this.#directory, `${toBase32(systemRandom.bytes(10))}.html`)
    try {
      ensureDirectory(this.#directory)
      writeFileSync(path, pageOf(url), { mode: 0o600, flag: 'wx' })
    } catch (error) {
      remove(path)
      throw stateUnwritable(this.#directory, error)
    }
    const [oldest] = this.#files.keys()
    if (oldest !== undefined && this.#files.size >= MAX_LINKS) this.#drop(oldest)
    const hash = secretHash(code)
    this.#files.set(hash, { path, forget: this.#clock.after(LINK_TTL_MS, () => this.#drop(hash)) })
    return path
  }

  /** Removes the page of a link, where it has one. */
  remove(code: string): void {
    this.#drop(secretHash(code))
  }

  [Symbol.dispose](): void {
    for (const { forget } of this.#files.values()) forget()
    this.#files.clear()
    remove(this.#directory)
  }

  #drop(hash: string): void {
    const file = this.#files.get(hash)
    if (file === undefined) return
    this.#files.delete(hash)
    file.forget()
    remove(file.path)
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // It stays for its user alone to read, and leads to a link that is over.
  }
}

function pageOf(url: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${url}">
<title>Weft</title>
<p><a href="${url}">Open the dashboard</a></p>
</html>
`
}
