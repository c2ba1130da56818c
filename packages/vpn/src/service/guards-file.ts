import { readFileSync, statSync } from 'node:fs'
import { type Logger, WeftError, messageOf, replaceFile } from '@weft/core'
import { type GuardState, formatGuardState, parseGuardState } from '../route/guard-state.ts'

/** What is there is read up to so many bytes; a whole list has a few thousand. */
const MOST_BYTES = 64 * 1024

/** Where a client keeps its guards from one start to the next (docs/specs/routes.md, Guards). */
export class GuardsFile {
  readonly #path: string
  readonly #logger: Logger
  #state: GuardState | undefined

  /** @throws WeftError E_STATE_CORRUPT: drawing others instead is what guards are to avoid */
  constructor(path: string, logger: Logger) {
    this.#path = path
    this.#logger = logger
    const text = read(path)
    this.#state = text === undefined ? undefined : parseGuardState(text, path)
  }

  /** As it was kept last; undefined at the first start. */
  get state(): GuardState | undefined {
    return this.#state
  }

  keep(state: GuardState): void {
    this.#state = state
    try {
      replaceFile(this.#path, formatGuardState(state))
    } catch (error) {
      this.#logger.warn('the guards of routes could not be kept; others may be drawn at the next start', {
        reason: messageOf(error),
      })
    }
  }
}

function read(path: string): string | undefined {
  try {
    if (statSync(path).size > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new WeftError({
      code: 'E_STATE_CORRUPT',
      cause: `The guards of this node's routes (${path}) cannot be read: ${messageOf(error)}.`,
      fix: 'Make the file readable for the user that runs the daemon.',
    })
  }
}
