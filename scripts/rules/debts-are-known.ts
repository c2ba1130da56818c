import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const PAGE = 'docs/known-issues.md'

/** A mark of unfinished work at the start of a comment, with the name of its entry in parentheses. */
const MARK = /(?:\/\/|\/\*+|^\s*\*|#|;;)\s*(TODO|FIXME|XXX|HACK)\b(?:\(([\w-]+)\))?/gm

/** Unfinished work is known to users, not only to whoever reads the source. */
export const debtsAreKnown: RepositoryRule = {
  name: `every mark of unfinished work names its entry in ${PAGE}`,
  check(root) {
    const path = join(root, PAGE)
    const known = existsSync(path) ? readFileSync(path, 'utf8') : ''
    return listFiles(root, ['{packages,scripts,bench,test,bin,deploy}/**/*.{ts,tsx,wat,proto,sh,css}']).flatMap(
      (file) =>
        Array.from(readFileSync(join(root, file), 'utf8').matchAll(MARK))
          .filter(([, , entry]) => entry === undefined || !known.includes(entry))
          .map(([, mark, entry]) =>
            entry === undefined
              ? `${file}: write ${mark}(entry), where entry is named in ${PAGE}, or finish the work`
              : `${file}: ${mark}(${entry}) has no entry in ${PAGE}`,
          ),
    )
  },
}
