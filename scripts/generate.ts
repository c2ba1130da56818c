import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CATALOGUE, readErrorCodes, renderErrorCatalogue } from './lib/error-catalogue.ts'
import { failWith } from './lib/fail-with.ts'
import { generateAll } from './lib/generate-all.ts'
import { repositoryRoot } from './lib/repository-root.ts'

try {
  for (const { name, outcome } of await generateAll(repositoryRoot)) console.error(`generate: ${name}: ${outcome}`)
  // A committed page, unlike the rest: written only here, so that a check can tell that it is out of date.
  const codes = readErrorCodes(repositoryRoot)
  writeFileSync(join(repositoryRoot, CATALOGUE), renderErrorCatalogue(codes))
  console.error(`generate: ${CATALOGUE}: ${codes.size} codes`)
} catch (error) {
  failWith(error)
}
