import { existsSync, renameSync, rmSync } from 'node:fs'
import type { Undo } from './undo.ts'

/** Puts a file, where there is one, where nobody looks for it, which takes no room. @returns where it is now @throws an error of the system */
export function setAside(path: string, undo: Undo): string {
  const aside = `${path}.off`
  if (!existsSync(path)) return aside
  renameSync(path, aside)
  undo.add(() => renameSync(aside, path))
  return aside
}

/** Files that nothing depends on any more. */
export function removeFiles(...paths: readonly string[]): void {
  for (const path of paths) {
    try {
      rmSync(path, { force: true })
    } catch {
      // The next one that is set aside takes its place.
    }
  }
}
