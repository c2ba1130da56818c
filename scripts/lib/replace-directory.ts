import { existsSync, renameSync, rmSync } from 'node:fs'

/**
 * Puts `staged` in the place of `target`. A process that dies in between leaves the old directory at `target` or,
 * between the two renames, at `target`.old, from where {@link restoreDirectory} brings it back.
 */
export function replaceDirectory(target: string, staged: string): void {
  const old = `${target}.old`
  rmSync(old, { recursive: true, force: true })
  if (existsSync(target)) renameSync(target, old)
  renameSync(staged, target)
  rmSync(old, { recursive: true, force: true })
}

/** Undoes a replacement that was cut off between its two renames. */
export function restoreDirectory(target: string): void {
  if (!existsSync(target) && existsSync(`${target}.old`)) renameSync(`${target}.old`, target)
}
