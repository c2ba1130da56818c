import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory of mode 0700 with its parents. `mkdirSync` with `recursive` is not used, as it never returns where a
 * file system answers ENOENT for a child of a directory that exists (/proc does; seen with Node 26.10).
 * @throws the system's error
 */
export function makeDirectories(path: string): void {
  try {
    makeOne(path)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    makeDirectories(parent)
    makeOne(path)
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
