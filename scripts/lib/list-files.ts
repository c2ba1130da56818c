import { globSync } from 'node:fs'
import { join } from 'node:path'

/** Directories that hold no source of ours, whatever their depth. */
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', '.weft'])

/**
 * Files under `root` that match any of the glob patterns, as sorted `/`-separated paths relative to `root`.
 * Installed and built directories are never entered.
 */
export function listFiles(root: string, patterns: readonly string[]): string[] {
  const found = globSync([...patterns], {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => NOT_OURS.has(entry.name),
  })
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, '/').length))
  return [...new Set(paths)].toSorted()
}
