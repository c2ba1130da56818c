import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What a stamp file says was built, or undefined when nothing was (or the stamp cannot be read). */
export function readStamp(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Records that the result beside the stamp was made from the sources with this hash. */
export function writeStamp(path: string, hash: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${hash}\n`)
}
