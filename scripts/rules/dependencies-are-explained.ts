import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDependencies } from '../lib/read-manifests.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const PAGE = 'docs/dependencies.md'

/** The first cell of a table row, in backticks. */
const ROW = /^\|\s*`([^`]+)`\s*\|/gm

/** Each dependency is a person's decision with its reason written down, and no reason outlives its dependency. */
export const dependenciesAreExplained: RepositoryRule = {
  name: `${PAGE} explains every dependency, and no other`,
  check(root) {
    const path = join(root, PAGE)
    if (!existsSync(path)) return [`${PAGE} is missing`]
    const explained = new Set(Array.from(readFileSync(path, 'utf8').matchAll(ROW), ([, name = '']) => name))
    const declared = new Map(readDependencies(root).map(({ name, file }) => [name, file]))
    return [
      ...[...declared]
        .filter(([name]) => !explained.has(name))
        .map(([name, file]) => `${file}: ${name} has no row in ${PAGE}: say why it and not another`),
      ...[...explained]
        .filter((name) => !declared.has(name))
        .map((name) => `${PAGE}: nothing depends on ${name} any more: remove its row`),
    ]
  },
}
