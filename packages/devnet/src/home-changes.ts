import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { WeftError, ensureDirectory, isDiskFull, messageOf } from '@weft/core'
import { type SigningKey, loadOrCreateKey } from '@weft/crypto'

/**
 * What a command writes into the home of a node: all of it, or nothing. `undo` takes back what was made, up to the first
 * directory that was there before.
 */
export class HomeChanges {
  readonly #home: string
  readonly #made: string[] = []

  constructor(home: string) {
    this.#home = home
  }

  /** The node's key; made, with the home, where there is none. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL, E_KEY_FILE */
  nodeKey(): SigningKey {
    const missing = topmostMissing(this.#home)
    if (missing !== undefined) this.#made.push(missing)
    try {
      ensureDirectory(this.#home)
      accessSync(this.#home, constants.W_OK | constants.X_OK)
    } catch (error) {
      throw unwritable(this.#home, error)
    }
    const path = join(this.#home, 'node.key')
    if (!existsSync(path)) this.#made.push(path)
    return loadOrCreateKey(path)
  }

  /** Writes a file that is not there yet, of mode 0600. @throws WeftError E_NETWORK_EXISTS, E_STATE_UNWRITABLE, E_DISK_FULL */
  add(name: string, content: string): void {
    const path = join(this.#home, name)
    try {
      const file = openSync(path, 'wx', 0o600)
      this.#made.push(path)
      try {
        writeFileSync(file, content)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw networkExists(path)
      throw unwritable(path, error)
    }
  }

  /** Writes a file of mode 0600 in place of the one that may be there. The last of the changes: it is not taken back. */
  replace(name: string, content: Uint8Array): void {
    const path = join(this.#home, name)
    const temporary = `${path}.${process.pid}.new`
    try {
      const file = openSync(temporary, 'wx', 0o600)
      try {
        writeFileSync(file, content)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(temporary, path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw unwritable(path, error)
    }
  }

  /** The key stays, with the home, whatever else is taken back: others were told its id. */
  keepKey(): void {
    this.#made.length = 0
  }

  undo(): void {
    for (const path of this.#made.toReversed()) {
      try {
        rmSync(path, { recursive: true, force: true })
      } catch {
        // What this user may not reach it did not make; why the command failed is what has to be told.
      }
    }
  }
}

/** The highest directory of a path that is not there. */
function topmostMissing(path: string): string | undefined {
  let missing: string | undefined
  for (let at = path; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing = at
  return missing
}

export function networkExists(path: string): WeftError {
  return new WeftError({
    code: 'E_NETWORK_EXISTS',
    cause: `${path} names a network already.`,
    fix: 'Name another home with --home, or remove the file when that network is to be left for good.',
  })
}

function unwritable(path: string, error: unknown): WeftError {
  const full = isDiskFull(error)
  return new WeftError({
    code: full ? 'E_DISK_FULL' : 'E_STATE_UNWRITABLE',
    cause: `${path} cannot be written: ${messageOf(error)}.`,
    fix: full
      ? 'Free some space on its disk, or name another home with --home.'
      : 'Name a directory of your own with --home.',
    origin: error,
  })
}
