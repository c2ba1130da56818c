import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CATALOGUE, meaningOf, readErrorCodes, readRaisedCodes, renderErrorCatalogue } from '../lib/error-catalogue.ts'
import { OWN_ERROR_CODES } from '../lib/own-error-codes.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'
import { SHARED_ERROR_CODES } from '../lib/shared-error-codes.ts'

const OWN = 'scripts/lib/own-error-codes.ts'
const SHARED = 'scripts/lib/shared-error-codes.ts'

/** Programs and people act on a code, so it may not mean two things; the page is how they find what it means. */
export const errorCodesHaveOneMeaning: RepositoryRule = {
  name: `an error code has one meaning and stands in ${CATALOGUE}`,
  check(root) {
    const codes = readErrorCodes(root)
    const path = join(root, CATALOGUE)
    const page = existsSync(path) ? readFileSync(path, 'utf8') : ''
    return [
      ...[...codes]
        .filter(([code]) => meaningOf(code) === undefined)
        .map(([code, files]) => `${code} (${files.join(', ')}) has no meaning: write it in ${OWN}`),
      ...[...readRaisedCodes(root)].flatMap(([code, files]) => {
        const packages = [...new Set(files.map((file) => file.split('/')[1]))]
        return packages.length > 1 && !SHARED_ERROR_CODES.has(code)
          ? [`${code} is raised by ${packages.join(' and ')}: write its one meaning in ${SHARED}`]
          : []
      }),
      // A planted tree of a test has no lists of its own that could be stale.
      ...(existsSync(join(root, OWN))
        ? [...OWN_ERROR_CODES.keys(), ...SHARED_ERROR_CODES.keys()]
            .filter((code) => !codes.has(code))
            .map((code) => `nothing names ${code} any more: remove its meaning`)
        : []),
      ...[...OWN_ERROR_CODES.keys()]
        .filter((code) => SHARED_ERROR_CODES.has(code))
        .map((code) => `${code} stands in ${OWN} and in ${SHARED}: remove one`),
      ...(page === renderErrorCatalogue(codes) ? [] : [`${CATALOGUE} is out of date: npm run generate`]),
    ]
  },
}
