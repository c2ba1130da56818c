import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Shards that the validators among these homes left with holders (docs/specs/admission.md, Figures): nobody put them. */
export function leftShards(homes: readonly string[]): number {
  return homes
    .map((home) => join(home, 'storage', 'left-shards.db'))
    .filter((path) => existsSync(path))
    .reduce((sum, path) => {
      const database = new DatabaseSync(path, { readOnly: true })
      try {
        const row = database.prepare('SELECT count(*) AS count FROM left_shards').get() as { readonly count: number }
        return sum + row.count
      } finally {
        database.close()
      }
    }, 0)
}
