import { failWith } from './lib/fail-with.ts'
import { REPOSITORY_RULES, findRuleBreaches } from './lib/repository-rules.ts'
import { repositoryRoot } from './lib/repository-root.ts'

try {
  const breaches = findRuleBreaches(repositoryRoot)
  for (const line of breaches) console.error(line)
  console.error(`repository: ${REPOSITORY_RULES.length} rules`)
  if (breaches.length > 0) process.exitCode = 1
} catch (error) {
  failWith(error)
}
