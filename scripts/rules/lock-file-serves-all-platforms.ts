import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const LOCK_FILE = 'package-lock.json'

type Locked = Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>

/**
 * Packages with native code have an optional package for each platform. npm leaves those out of the lock file that
 * were not served, or not installed, where it was written; `npm ci` then refuses it, there or on another platform.
 */
export const lockFileServesAllPlatforms: RepositoryRule = {
  name: 'the lock file holds the optional packages of all platforms',
  check(root) {
    const path = join(root, LOCK_FILE)
    if (!existsSync(path)) return []
    const { packages = {} } = JSON.parse(readFileSync(path, 'utf8')) as { packages?: Locked }
    return Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !places(at, name).some((place) => place in packages))
        .map((name) => `${LOCK_FILE}: ${at || 'the root'} lacks ${name}: pin a version whose packages are all served`),
    )
  },
}

/** Where Node looks for `name` from the package at `at`: in its own node_modules and in those around it. */
function places(at: string, name: string): string[] {
  const found = [`node_modules/${name}`]
  for (let up = at; up !== ''; up = up.slice(0, Math.max(0, up.lastIndexOf('/node_modules/')))) {
    found.push(`${up}/node_modules/${name}`)
  }
  return found
}
