import { commandsExist } from '../rules/commands-exist.ts'
import { debtsAreKnown } from '../rules/debts-are-known.ts'
import { dependenciesAreExplained } from '../rules/dependencies-are-explained.ts'
import { documentsExist } from '../rules/documents-exist.ts'
import { errorCodesHaveOneMeaning } from '../rules/error-codes-have-one-meaning.ts'
import { filesStayShort } from '../rules/files-stay-short.ts'
import { lockFileNamesNoHost } from '../rules/lock-file-names-no-host.ts'
import { lockFileServesAllPlatforms } from '../rules/lock-file-serves-all-platforms.ts'
import { namedTestsExist } from '../rules/named-tests-exist.ts'
import { onlyIndexesAreBarrels } from '../rules/only-indexes-are-barrels.ts'
import { pathsArePortable } from '../rules/paths-are-portable.ts'
import { programsAreExecutable } from '../rules/programs-are-executable.ts'
import { testsWaitForEvents } from '../rules/tests-wait-for-events.ts'
import { versionsAreExact } from '../rules/versions-are-exact.ts'
import type { RepositoryRule } from './repository-rule.ts'

export const REPOSITORY_RULES: readonly RepositoryRule[] = [
  lockFileNamesNoHost,
  lockFileServesAllPlatforms,
  versionsAreExact,
  dependenciesAreExplained,
  debtsAreKnown,
  documentsExist,
  namedTestsExist,
  filesStayShort,
  programsAreExecutable,
  testsWaitForEvents,
  onlyIndexesAreBarrels,
  pathsArePortable,
  errorCodesHaveOneMeaning,
  commandsExist,
]

/** Every breach of every rule, each under its rule's name. */
export function findRuleBreaches(root: string): readonly string[] {
  return REPOSITORY_RULES.flatMap((rule) => {
    const breaches = rule.check(root)
    return breaches.length === 0 ? [] : [`${rule.name}:`, ...breaches.map((breach) => `  ${breach}`)]
  })
}
