import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RepositoryRule } from '../lib/repository-rule.ts'

const LOCK_FILE = 'package-lock.json'

/** With hosts in it, the lock file would install only where that registry answers; the hashes are what binds. */
export const lockFileNamesNoHost: RepositoryRule = {
  name: 'the lock file names no host',
  check(root) {
    const path = join(root, LOCK_FILE)
    if (!existsSync(path)) return [`${LOCK_FILE} is missing: commit it`]
    return readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        /"(resolved|version)":\s*"[a-z+]+:\/\//.test(line) || /"resolved":\s*"[^"]*@[^"]*:/.test(line)
          ? [`${LOCK_FILE}:${index + 1} names a host: npm install with omit-lockfile-registry-resolved=true (.npmrc)`]
          : [],
      )
  },
}
