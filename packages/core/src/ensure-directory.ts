import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory of mode 0700 with its parents, unless it is there. `mkdirSync` with `recursive` never returns where
 * a file system answers ENOENT for a child of a directory that exists (/proc does; seen with Node 26.10); this looks at
 * each part of the path once up and once down.
 * @throws the system's error, EEXIST when a file stands there
 */
export function ensureDirectory(path: string): void {
  try {
    makeOne(path)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    ensureDirectory(parent)
    makeOne(path)
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error
  }
}
