import { readDependencies } from '../lib/read-manifests.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const EXACT = /^(npm:(@[^/@]+\/)?[^/@]+@)?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/

/** A range would let a release that nobody here has read into a fresh install of an unlocked workspace. */
export const versionsAreExact: RepositoryRule = {
  name: 'every dependency is pinned to an exact version',
  check: (root) =>
    readDependencies(root)
      .filter(({ version }) => !EXACT.test(version))
      .map(({ file, name, version }) => `${file}: ${name} is "${version}": write one version, such as 1.2.3`),
}
