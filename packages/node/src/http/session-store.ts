import { type Clock, WeftError } from '@weft/core'
import type { Principal } from './principal.ts'
import type { Grant } from './scopes.ts'
import { newSecret, secretHash } from './secret.ts'

/** ms that a link may be opened: long enough to come back to a terminal. */
export const LINK_TTL_MS = 15 * 60_000
/** ms that a page of a browser stays signed in. */
export const SESSION_TTL_MS = 12 * 3_600_000
/** Links that may be open at once. */
export const MAX_LINKS = 32
const MAX_SESSIONS = 64

interface Pass {
  readonly grants: readonly Grant[]
  readonly expiresAt: number
}

/** What the dashboard presents from then on. */
export interface Session {
  readonly secret: string
  /** ms since the epoch. */
  readonly expiresAt: number
}

/**
 * How a browser signs in: a one-use link, made by someone who may, is exchanged for a session with the grants of the
 * link. Both live in memory only: a restart of the daemon ends them.
 */
export class SessionStore {
  readonly #clock: Clock
  readonly #links = new Map<string, Pass>()
  readonly #sessions = new Map<string, Pass>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The code of a new one-use link. Beyond 32 open links the oldest is forgotten. */
  createLink(grants: readonly Grant[]): string {
    return remember(this.#links, MAX_LINKS, { grants, expiresAt: this.#clock.now() + LINK_TTL_MS })
  }

  /** Exchanges a code, once, for a session. @throws WeftError E_LINK_INVALID */
  open(code: string): Session {
    const hash = secretHash(code)
    const link = this.#links.get(hash)
    this.#links.delete(hash)
    if (link === undefined || link.expiresAt <= this.#clock.now()) {
      throw new WeftError({
        code: 'E_LINK_INVALID',
        cause: 'This link was opened before, or is older than 15 minutes, or was made before the daemon restarted.',
        fix: 'Make a new one: weft dashboard.',
      })
    }
    const expiresAt = this.#clock.now() + SESSION_TTL_MS
    return { secret: remember(this.#sessions, MAX_SESSIONS, { grants: link.grants, expiresAt }), expiresAt }
  }

  /** Who presents this session; undefined when it is unknown or over. */
  principalOf(session: string): Principal | undefined {
    const pass = this.#sessions.get(secretHash(session))
    if (pass === undefined || pass.expiresAt <= this.#clock.now()) return undefined
    return { kind: 'session', name: 'dashboard', grants: pass.grants }
  }
}

function remember(passes: Map<string, Pass>, most: number, pass: Pass): string {
  const oldest = passes.keys().next()
  if (passes.size >= most && oldest.done !== true) passes.delete(oldest.value)
  const secret = newSecret()
  passes.set(secretHash(secret), pass)
  return secret
}
