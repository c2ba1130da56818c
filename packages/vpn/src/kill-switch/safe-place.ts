import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { WeftError } from '@weft/core'

const OTHERS_MAY_WRITE = 0o022
const STICKY = 0o1000
/** Bytes of a file that is read. */
const MOST = 4 * 1024 * 1024

/**
 * Makes a directory where it is missing, and makes sure that nobody but root and this user can change what is in it or put something else in its
 * place: rules that root loads at each start are no matter for others.
 * @throws WeftError E_KILL_SWITCH_PLACE; an error of the system
 */
export function makeSafePlace(directory: string): void {
  const above = dirname(directory)
  requireSafePlace(above)
  try {
    mkdirSync(directory, { mode: 0o755 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  requireSafePlace(directory)
}

/** @throws WeftError E_KILL_SWITCH_PLACE; an error of the system */
export function requireSafePlace(directory: string): void {
  const real = realpathSync(directory)
  const parts = real.split('/').filter((part) => part !== '')
  for (let depth = 0; depth <= parts.length; depth++) {
    const path = `/${parts.slice(0, depth).join('/')}`
    const { uid, mode } = lstatSync(path)
    if (uid !== 0 && uid !== process.geteuid?.()) throw unsafePlace(path, `belongs to the user ${uid}, not to root`)
    // In a directory such as /tmp others make what they like, and change nothing that is not theirs.
    if ((mode & OTHERS_MAY_WRITE) !== 0 && ((mode & STICKY) === 0 || depth === parts.length))
      throw unsafePlace(path, `can be written by others than its owner (mode ${(mode & 0o7777).toString(8)})`)
  }
}

/** A file that is written beside the place where it is to be, which took what room and rights it needs. Ended, nothing is left beside that place. */
export interface PreparedFile extends Disposable {
  /** In the place of what is there, whole, so that it is there after a loss of power. @throws an error of the system */
  put(): void
  /** What was there is there again, which takes no room. @throws an error of the system */
  takeBack(): void
}

/** What stands beside a file while it is written, and stays where that is broken off: the next one, and the last one. */
export function leftovers(path: string): readonly [string, string] {
  return [`${path}.new`, `${path}.old`]
}

/** @param mode whatever the umask is @throws an error of the system */
export function prepareSafely(path: string, text: string, mode: number): PreparedFile {
  const [next, last] = leftovers(path)
  const clear = (): void => {
    for (const each of [next, last]) rmSync(each, { force: true })
  }
  const end = (): void => {
    try {
      clear()
    } catch {
      // The next one that is written finds what was left.
    }
  }
  clear()
  const isThere = existsSync(path)
  try {
    const file = openSync(next, 'wx', mode)
    try {
      fchmodSync(file, mode)
      writeFileSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (isThere) linkSync(path, last)
  } catch (error) {
    end()
    throw error
  }
  return {
    put: () => {
      renameSync(next, path)
      syncDirectory(dirname(path))
    },
    takeBack: () => {
      if (isThere) renameSync(last, path)
      else rmSync(path, { force: true })
    },
    [Symbol.dispose]: end,
  }
}

/** Writes a file whole or not at all, mode `mode`, so that it is there after a loss of power. @throws an error of the system */
export function writeSafely(path: string, text: string, mode: number): void {
  using prepared = prepareSafely(path, text, mode)
  prepared.put()
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/**
 * A file that root alone can write; undefined where there is none.
 * @throws WeftError E_KILL_SWITCH_PLACE; an error of the system, EACCES where it may not be read
 */
export function readSafely(path: string): string | undefined {
  let file
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { uid, mode, size } = fstatSync(file)
    if (uid !== 0 && uid !== process.geteuid?.()) throw unsafePlace(path, `belongs to the user ${uid}, not to root`)
    if ((mode & OTHERS_MAY_WRITE) !== 0)
      throw unsafePlace(path, `can be written by others than its owner (mode ${(mode & 0o7777).toString(8)})`)
    if (size > MOST) throw unsafePlace(path, `has ${size} bytes, which no file of the switch has`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function unsafePlace(path: string, why: string): WeftError {
  return new WeftError({
    code: 'E_KILL_SWITCH_PLACE',
    cause: `${path} ${why}: somebody else could change the rules that this machine starts with.`,
    fix: `Give it to root alone (chown root:root ${path}; chmod go-w ${path}), then call weft vpn killswitch on again.`,
  })
}
