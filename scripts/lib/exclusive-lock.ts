import { WeftError } from '@weft/core'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Longer than the longest build on a slow machine. */
const PATIENCE_MS = 180_000

/**
 * Waits until no other process holds the lock at `path`, then holds it until disposed. The lock is SQLite's on the
 * file, which the system releases when its holder dies: there is no stale lock to clean up.
 * @throws WeftError E_BUILD_BUSY when the holder keeps it for three minutes
 */
export function takeExclusiveLock(path: string): Disposable {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: PATIENCE_MS })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw new WeftError({
      code: 'E_BUILD_BUSY',
      cause: `Another build has held ${path} for ${PATIENCE_MS / 1_000} s.`,
      fix: 'Wait for it, or end it, and try again.',
      retryable: true,
      origin: error,
    })
  }
  return { [Symbol.dispose]: () => database.close() }
}
