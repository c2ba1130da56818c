import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * One SHA-256 (hex) over the names and bytes of `files` (relative to `root`), in the order given, and over `salt`:
 * whatever else the result depends on, such as a tool's version.
 */
export function hashFiles(root: string, files: readonly string[], salt: readonly string[] = []): string {
  const hash = createHash('sha256')
  for (const text of salt) hash.update(`salt ${text.length}\0${text}`)
  for (const file of files) {
    const bytes = readFileSync(join(root, file))
    hash.update(`file ${file}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}
