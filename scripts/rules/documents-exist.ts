import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const SOURCES = '{packages,scripts,bench,test,bin,deploy}/**/*.{ts,tsx,wat,proto,sh,css,html}'
const PAGES = ['*.md', '{docs,bench}/**/*.md']
/** The tests of the rules plant pages that do not exist. */
const PLANTED = /^scripts\/test\//

/** A page by its name or path, and the section that a comment names behind it: `(docs/specs/map.md, Structures)`. */
const NAMED = /(?<![\w./-])((?:[\w.-]+\/)*[\w.-]+\.md)\b(?:, ([A-Z][\w -]*)(?=[).;:]))?/g
/** A name that stands for any page. */
const EXAMPLES = new Set(['NNNN-name.md'])

/**
 * Whoever follows a reference finds what it names. Sources name a page by its path from the root; pages may also begin
 * at their own place or at docs.
 */
export const documentsExist: RepositoryRule = {
  name: 'every page that is named exists, with the section that is named',
  check(root) {
    return listFiles(root, [SOURCES, ...PAGES])
      .filter((file) => !PLANTED.test(file))
      .flatMap((file) =>
        Array.from(readFileSync(join(root, file), 'utf8').matchAll(NAMED))
          .filter(([, page = '']) => !EXAMPLES.has(page))
          .flatMap(([, page = '', section]) => faultOf(root, file, page, section)),
      )
  },
}

function faultOf(root: string, file: string, page: string, section: string | undefined): string[] {
  const places = [page]
  if (file.endsWith('.md') || page.startsWith('../')) places.push(join(dirname(file), page))
  if (file.endsWith('.md')) places.push(join('docs', page))
  const found = places.find((place) => existsSync(join(root, place)))
  if (found === undefined) return [`${file}: there is no ${page}; name a page by its path from the root`]
  if (section === undefined || sectionsOf(join(root, found)).has(section)) return []
  return [`${file}: ${page} has no section '${section}'`]
}

function sectionsOf(path: string): ReadonlySet<string> {
  return new Set(Array.from(readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm), ([, title = '']) => title))
}
