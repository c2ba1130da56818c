import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

/** A path below somebody's home or work directory. */
const PRIVATE_PATH = /(?<![\w.~-])\/(?:home|Users|root|work)\/[\w.-]+/

/** The repository works wherever it is cloned, and tells nothing of the machines that it was written on. */
export const pathsArePortable: RepositoryRule = {
  name: 'no file names a path of one machine',
  check: (root) =>
    listFiles(root, [
      '*.{json,md}',
      '{packages,scripts,bench,test,bin,deploy,docs,.ci}/**/*.{ts,tsx,json,md,sh,toml,yml,yaml,proto,wat}',
      '.ci/run',
      'bin/*',
    ]).flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => {
          const found = PRIVATE_PATH.exec(line)?.[0]
          return found === undefined
            ? []
            : [`${file}:${index + 1} names ${found}: use a path relative to the repository`]
        }),
    ),
}
