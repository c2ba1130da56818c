import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

/** Pauses by the system's clock, in any of the usual spellings. */
const PAUSES = [
  /setTimeout\(\s*(?:resolve|done|r|res)\b/,
  /setTimeout\(\s*\(\)\s*=>\s*(?:resolve|done|r|res)\(/,
  /from 'node:timers\/promises'/,
  /wait\(\s*systemClock\b/,
  /Atomics\.wait\(/,
]

/** Helpers that poll a condition up to a deadline; each pause in them is between two looks, not a guess. */
const POLLING_HELPERS: ReadonlySet<string> = new Set(['eventually.ts', 'until.ts', 'wait-until.ts', 'poll.ts'])

/** A pause of a guessed length makes a test slow on a fast machine and flaky on a slow one. */
export const testsWaitForEvents: RepositoryRule = {
  name: 'tests wait for events, not for a guessed time',
  check: (root) =>
    listFiles(root, ['packages/*/test/**/*.{ts,tsx}', 'test/**/*.ts', 'scripts/test/**/*.ts'])
      .filter((file) => !POLLING_HELPERS.has(file.split('/').at(-1) ?? ''))
      .flatMap((file) =>
        readFileSync(join(root, file), 'utf8')
          .split('\n')
          .flatMap((line, index) =>
            PAUSES.some((pause) => pause.test(line))
              ? [`${file}:${index + 1} sleeps: wait for the event, or poll in ${[...POLLING_HELPERS].join(' or ')}`]
              : [],
          ),
      ),
}
