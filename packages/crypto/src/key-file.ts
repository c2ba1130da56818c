import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { WeftError, ensureDirectory, isDiskFull, messageOf } from '@weft/core'
import { wipe } from './hash.ts'
import { SigningKey } from './signing.ts'

/**
 * Reads the 32-byte seed of a key from a file of mode 0600, or makes it (temporary file, fsync, rename).
 * @throws WeftError E_KEY_FILE when it cannot be read or made, is of another size, or others may read it.
 */
export function loadOrCreateKey(path: string, seedForNewKey?: Uint8Array): SigningKey {
  try {
    const bytes = readFileSync(path)
    const mode = statSync(path).mode & 0o777
    if ((mode & 0o077) !== 0) {
      throw keyFileError(
        path,
        `others may read it (mode ${mode.toString(8)})`,
        `Run chmod 600 ${path}; if others used this machine, make a new key.`,
      )
    }
    if (bytes.length !== 32) {
      throw keyFileError(
        path,
        `it has ${bytes.length} bytes in place of 32`,
        'Restore it from a backup; a new key is a new identity.',
      )
    }
    const key = new SigningKey(bytes)
    wipe(bytes)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      if (error instanceof WeftError) throw error
      throw keyFileError(path, messageOf(error), 'Make the file readable for the user that runs the daemon.')
    }
  }
  const key = seedForNewKey === undefined ? SigningKey.generate() : new SigningKey(seedForNewKey)
  const temporary = `${path}.${process.pid}.new`
  try {
    ensureDirectory(dirname(path))
    const file = openSync(temporary, 'wx', 0o600)
    const seed = key.seed()
    try {
      writeSync(file, seed)
      fsyncSync(file)
    } finally {
      wipe(seed)
      closeSync(file)
    }
    chmodSync(temporary, 0o600)
    renameSync(temporary, path)
    const directory = openSync(dirname(path), 'r')
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    rmSync(temporary, { force: true })
    throw keyFileError(
      path,
      messageOf(error),
      isDiskFull(error)
        ? 'Free some space on its disk, or choose another state directory (WEFT_HOME or --home).'
        : 'Give the daemon a state directory that it may write to (WEFT_HOME or --home).',
    )
  }
  return key
}

function keyFileError(path: string, why: string, fix: string): WeftError {
  return new WeftError({ code: 'E_KEY_FILE', cause: `The key file ${path} cannot be used: ${why}.`, fix })
}
