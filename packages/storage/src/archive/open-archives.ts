import type { Archives } from './archives.ts'
import { type ExportParts, exportArchive } from './export-archive.ts'
import { type ImportParts, importArchive } from './import-archive.ts'

/** One import at a time: of two that run together each would put what the other puts. */
export function openArchives(parts: ExportParts & ImportParts): Archives {
  let last: Promise<unknown> = Promise.resolve()
  return {
    export: (options = {}) => exportArchive(parts, options),
    import: (source, options = {}) => {
      const imported = last.then(() => importArchive(parts, source, options))
      last = imported.catch(() => {})
      return imported
    },
  }
}
