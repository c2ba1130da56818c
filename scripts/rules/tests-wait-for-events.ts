import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '../lib/list-files.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'

/** Pauses by the system's clock, in any of the usual spellings. */
const PAUSES = [
  /\bsetTimeout\b/,
  /from 'node:timers\/promises'/,
  /\bscheduler\.wait\(/,
  /wait\(\s*systemClock\b/,
  /\bAtomics\.wait\(/,
]

/** Not a pause: a timer that ends a wait with a failure, and a turn of the event loop. */
const SOUND = [/setTimeout\(\s*\(\)\s*=>\s*(?:\w+\.)?(?:reject|abort|kill)\(/, /^import \{ setImmediate \} from /]

/** Helpers that poll a condition up to a deadline; each pause in them is between two looks, not a guess. */
const POLLING_HELPERS: ReadonlySet<string> = new Set(['eventually.ts', 'until.ts', 'wait-until.ts'])

/** A pause of a guessed length makes a test slow on a fast machine and flaky on a slow one. */
export const testsWaitForEvents: RepositoryRule = {
  name: 'tests wait for events, not for a guessed time',
  check: (root) =>
    listFiles(root, ['packages/*/test/**/*.{ts,tsx}', 'test/**/*.ts', 'scripts/test/**/*.ts']).flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      if (POLLING_HELPERS.has(file.split('/').at(-1) ?? '')) {
        return /\bdeadline\b|reject\(/.test(text) ? [] : [`${file} waits without a deadline: fail when it has passed`]
      }
      return text
        .split('\n')
        .flatMap((line, index) =>
          PAUSES.some((pause) => pause.test(line)) && !SOUND.some((sound) => sound.test(line))
            ? [`${file}:${index + 1} sleeps: wait for the event, or poll in ${[...POLLING_HELPERS].join(' or ')}`]
            : [],
        )
    }),
}
