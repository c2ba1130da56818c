import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const PAGES = ['*.md', '{docs,bench}/**/*.md']
const TESTS = ['{packages,scripts,test}/**/*.test.ts']
/** A test file by its path from the root or, where that was named before, by its name; or a directory of tests. */
const NAMED = /`((?:[\w.-]+\/)*[\w.-]+\.test\.ts|(?:packages\/[\w-]+\/)?test\/[\w./-]*\w)`/g

/** A page that says by which test a promise is kept is worth what that test is: it has to be there. */
export const namedTestsExist: RepositoryRule = {
  name: 'every test that a page names exists',
  check(root) {
    const names = new Set(listFiles(root, TESTS).map((file) => basename(file)))
    const isThere = (test: string): boolean => (test.includes('/') ? existsSync(join(root, test)) : names.has(test))
    return listFiles(root, PAGES).flatMap((page) =>
      Array.from(readFileSync(join(root, page), 'utf8').matchAll(NAMED), ([, test = '']) => test)
        .filter((test) => !isThere(test))
        .map((test) => `${page} names ${test}, which is not there`),
    )
  },
}
