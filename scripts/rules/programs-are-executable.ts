import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

/** A clone must be able to run them as they are. */
export const programsAreExecutable: RepositoryRule = {
  name: 'what is run by name is executable and names its interpreter',
  check: (root) =>
    listFiles(root, ['bin/*', '.ci/run', 'scripts/**/*.sh', 'deploy/**/*.sh']).flatMap((file) => [
      ...((statSync(join(root, file)).mode & 0o111) === 0o111 ? [] : [`${file}: chmod +x ${file}`]),
      ...(readFileSync(join(root, file), 'utf8').startsWith('#!')
        ? []
        : [`${file}: begin with #! and the interpreter`]),
    ]),
}
