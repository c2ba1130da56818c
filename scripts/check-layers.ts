import { failWith } from './lib/fail-with.ts'
import { findLayerViolations } from './lib/find-layer-violations.ts'
import { repositoryRoot } from './lib/repository-root.ts'

try {
  const { modules, violations } = await findLayerViolations(repositoryRoot)
  for (const violation of violations) console.error(violation)
  console.error(`layers: ${modules} modules, ${violations.length} violations`)
  if (violations.length > 0) process.exitCode = 1
} catch (error) {
  failWith(error)
}
