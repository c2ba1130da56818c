import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { WeftError, ensureDirectory, isDiskFull, messageOf, systemRandom } from '@weft/core'
import { wipe } from './hash.ts'
import { SigningKey } from './signing.ts'
import { type X25519KeyPair, x25519KeyPair } from './x25519.ts'

/**
 * The signing key whose seed lies in a file of mode 0600, or a new one that is kept there.
 * @throws WeftError E_KEY_FILE when it cannot be read or made, is of another size, or others may read it.
 */
export function loadOrCreateKey(path: string, seedForNewKey?: Uint8Array): SigningKey {
  const seed = loadOrCreateSecret(path, seedForNewKey)
  const key = new SigningKey(seed)
  wipe(seed)
  return key
}

/** The signing key of a file, where there is one; nothing is made. @throws WeftError E_KEY_FILE */
export function loadKey(path: string): SigningKey | undefined {
  const seed = readSecret(path)
  if (seed === undefined) return undefined
  const key = new SigningKey(seed)
  wipe(seed)
  return key
}

/** As `loadOrCreateKey`, for an X25519 key. @throws WeftError E_KEY_FILE */
export function loadOrCreateX25519Key(path: string, secretForNewKey?: Uint8Array): X25519KeyPair {
  return x25519KeyPair(loadOrCreateSecret(path, secretForNewKey))
}

/**
 * The 32 bytes of a secret in its file, if there is one. A copy of the caller's own.
 * @throws WeftError E_KEY_FILE when it cannot be read, is of another size, or others may read it.
 */
export function readSecret(path: string): Uint8Array | undefined {
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
    // Not slice(): that of a Buffer shares its memory.
    const secret = new Uint8Array(bytes)
    wipe(bytes)
    return secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      if (error instanceof WeftError) throw error
      throw keyFileError(path, messageOf(error), 'Make the file readable for the user that runs the daemon.')
    }
    return undefined
  }
}

/** Reads a secret from its file, or makes both. A copy of the caller's own. */
function loadOrCreateSecret(path: string, secretForNewFile: Uint8Array | undefined): Uint8Array {
  const kept = readSecret(path)
  if (kept !== undefined) return kept
  const secret = new Uint8Array(secretForNewFile ?? systemRandom.bytes(32))
  try {
    writeSecret(path, secret)
  } catch (error) {
    wipe(secret)
    throw error
  }
  return secret
}

/** What a file is called until all of it is on the disk; a crash may leave one. */
export const HALF_WRITTEN = /\.\d+\.new$/

/** Makes the file of a secret, of mode 0600, whole or not at all (temporary file, fsync, rename). @throws WeftError E_KEY_FILE */
export function writeSecret(path: string, secret: Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`
  try {
    ensureDirectory(dirname(path))
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(file, secret)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    chmodSync(temporary, 0o600)
    moveSecret(temporary, path)
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
}

/** Gives the file of a secret another name, for good once it returns. @throws system errors */
export function moveSecret(from: string, to: string): void {
  renameSync(from, to)
  syncDirectory(dirname(to))
}

/**
 * Overwrites the file of a secret with zeros and removes it. After a crash it is as it was, of zeros, or gone.
 * @throws system errors; none when there is no such file
 */
export function eraseSecret(path: string): void {
  try {
    const file = openSync(path, 'r+')
    try {
      // In place: what is written to another file leaves these bytes on the disk.
      writeSync(file, new Uint8Array(statSync(path).size))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    unlinkSync(path)
    syncDirectory(dirname(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function keyFileError(path: string, why: string, fix: string): WeftError {
  return new WeftError({ code: 'E_KEY_FILE', cause: `The key file ${path} cannot be used: ${why}.`, fix })
}
