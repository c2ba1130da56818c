import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ensureDirectory } from './ensure-directory.ts'

/** Writes a file that only its owner may read (mode 0600), whole or not at all: a crash leaves the old or the new one. @throws the error of the system */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`
  try {
    ensureDirectory(dirname(path))
    rmSync(temporary, { force: true })
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    try {
      rmSync(temporary, { force: true })
    } catch {
      // Why it could not be written is what is told; the next one that is written finds what was left.
    }
    throw error
  }
}
