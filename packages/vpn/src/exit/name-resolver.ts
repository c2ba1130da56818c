import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type Clock, WeftError, canonicalHost, withTimeout } from '@weft/core'
import { isLocalName } from '../dns/local-names.ts'
import { nameServersSilent, tooManyNames } from './name-faults.ts'
import type { SessionShares } from './session-shares.ts'

export interface NameResolverInit {
  readonly clock: Clock
  /** `ADDRESS` or `ADDRESS:PORT` of name servers; the system's by default. */
  readonly servers?: readonly string[]
  /** Lookups under way, each of the session that began it. */
  readonly lookups: SessionShares
}

interface Cached {
  /** Undefined: there is no such name. */
  readonly address: string | undefined
  /** Monotonic ms. */
  readonly until: number
}

const MAX_CACHED = 2_000
/** ms for a whole lookup: before the client's patience ends (4.4 s), so that it hears of the name server and not of a timeout. */
const LOOKUP_MS = 3_500
/** ms for the first try of one server; two tries. */
const TRY_MS = 1_000
const TRIES = 2
/** Seconds that an answer is kept at least and at most, whatever its TTL. */
const MIN_TTL = 1
const MAX_TTL = 300
const NEGATIVE_TTL = 5
/** Labels of letters, digits, hyphens and underscores (RFC 1035, section 2.3.1; RFC 2181, section 11). */
const NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/

/** Resolves names at an exit, once each: the address that comes back is the one that policy judges and that is dialled. */
export class NameResolver {
  readonly #clock: Clock
  readonly #lookups: SessionShares
  readonly #resolver = new Resolver({ timeout: TRY_MS, tries: TRIES })
  readonly #cache = new Map<string, Cached>()
  readonly #running = new Map<string, Promise<string>>()

  constructor({ clock, servers, lookups }: NameResolverInit) {
    this.#clock = clock
    this.#lookups = lookups
    if (servers !== undefined && servers.length > 0) this.#resolver.setServers(servers)
  }

  /**
   * The address of `host`: itself when it is one, loopback for localhost (RFC 6761, section 6.3), none for names of one network, else its first A or AAAA record.
   * The hosts file is not read: it is the operator's.
   * @param session for which it is asked: a lookup counts against its share until it ends, whoever waits for it
   * @throws WeftError E_NAME_NOT_FOUND, E_NAME_SERVER, E_NAME_LIMIT
   */
  async resolve(host: string, session: object): Promise<string> {
    const literal = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
    if (isIP(literal) !== 0) return canonicalHost(literal) ?? literal
    const name = host.toLowerCase().replace(/\.$/, '')
    if (name.length > 253 || !NAME.test(name)) throw notFound()
    if (name === 'localhost' || name.endsWith('.localhost')) return '127.0.0.1'
    // What a name server of the operator's knows of its own network is nobody's outside.
    if (isLocalName(name)) throw notFound()
    const cached = this.#cache.get(name)
    if (cached !== undefined && cached.until > this.#clock.monotonic()) {
      if (cached.address === undefined) throw notFound()
      return cached.address
    }
    let running = this.#running.get(name)
    if (running === undefined) {
      if (!this.#lookups.take(session)) throw tooManyNames(this.#lookups.limit)
      const tooLate = (): WeftError => nameServersSilent('ETIMEOUT')
      // Also when nobody waits any more: the resolver still asks.
      const ask = (): Promise<string> => this.#ask(name).finally(() => this.#lookups.give(session))
      running = withTimeout(this.#clock, LOOKUP_MS, undefined, tooLate, ask).finally(() => this.#running.delete(name))
      this.#running.set(name, running)
    }
    return running
  }

  /** Gives up what is under way. */
  close(): void {
    this.#resolver.cancel()
  }

  async #ask(name: string): Promise<string> {
    const failures: string[] = []
    const questions = [
      () => this.#resolver.resolve4(name, { ttl: true }),
      () => this.#resolver.resolve6(name, { ttl: true }),
    ]
    for (const ask of questions) {
      try {
        const [first] = await ask()
        if (first === undefined) continue
        const address = canonicalHost(first.address) ?? first.address
        this.#keep(name, address, Math.min(MAX_TTL, Math.max(MIN_TTL, first.ttl)))
        return address
      } catch (error) {
        const code = codeOf(error)
        if (code !== 'ENOTFOUND' && code !== 'ENODATA') failures.push(code)
        // Without an answer to the first question the second gets none either.
        if (code !== 'ENODATA') break
      }
    }
    if (failures.length === 0) {
      this.#keep(name, undefined, NEGATIVE_TTL)
      throw notFound()
    }
    throw nameServersSilent(failures.join(', '))
  }

  #keep(name: string, address: string | undefined, ttl: number): void {
    if (this.#cache.size >= MAX_CACHED) {
      const [oldest] = this.#cache.keys()
      if (oldest !== undefined) this.#cache.delete(oldest)
    }
    this.#cache.set(name, { address, until: this.#clock.monotonic() + ttl * 1_000 })
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN'
}

function notFound(): WeftError {
  return new WeftError({
    code: 'E_NAME_NOT_FOUND',
    cause: 'There is no such name.',
    fix: 'Check the spelling of the host name.',
  })
}
