import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CATALOGUE, readErrorCodes, renderErrorCatalogue } from '../lib/error-catalogue.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'
import { SHARED_ERROR_CODES } from '../lib/shared-error-codes.ts'

/** Programs and people act on a code, so it may not mean two things; the page is how they find where it is raised. */
export const errorCodesHaveOneMeaning: RepositoryRule = {
  name: `an error code has one meaning and stands in ${CATALOGUE}`,
  check(root) {
    const codes = readErrorCodes(root)
    const path = join(root, CATALOGUE)
    const page = existsSync(path) ? readFileSync(path, 'utf8') : ''
    return [
      ...[...codes].flatMap(([code, files]) => {
        const packages = [...new Set(files.map((file) => file.split('/')[1]))]
        return packages.length > 1 && !SHARED_ERROR_CODES.has(code)
          ? [
              `${code} is raised by ${packages.join(' and ')}: write its one meaning in scripts/lib/shared-error-codes.ts`,
            ]
          : []
      }),
      ...(page === renderErrorCatalogue(codes) ? [] : [`${CATALOGUE} is out of date: npm run generate`]),
    ]
  },
}
