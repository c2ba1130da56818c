import { isLoopback } from '@weft/core'
import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { addressGroup } from '../network/address-group.ts'
import type { Caller } from '../rpc.ts'
import { ADDRESS_CALL_RATE, MEMBER_CALL_RATE, STRANGER_CALL_RATE } from './limits.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { AccessPolicy } from './transport.ts'

/**
 * How much each caller may ask. A member has a rate of its own. A stranger has a smaller one, and shares another with
 * all strangers of its address (an IPv6 /64), because new identities cost nothing; loopback, where the nodes of a
 * devnet are, shares none.
 */
export class CallLimiter {
  readonly #access: AccessPolicy
  readonly #callers: RateLimiter
  readonly #addresses: RateLimiter

  constructor(clock: Clock, access: AccessPolicy) {
    this.#access = access
    this.#callers = new RateLimiter(clock, (caller) =>
      access.allows(caller as DidKey, 'member') ? MEMBER_CALL_RATE : STRANGER_CALL_RATE,
    )
    this.#addresses = new RateLimiter(clock, () => ADDRESS_CALL_RATE)
  }

  /** Takes `cost` of what the caller may ask now, if it is there. */
  take({ id, address }: Caller, cost: number): boolean {
    if (!this.#callers.take(id, cost)) return false
    if (address === '' || this.#access.allows(id, 'member')) return true
    const group = addressGroup(address)
    return isLoopback(group) || this.#addresses.take(group, cost)
  }

  /** When this caller last asked for anything, ms of the monotonic clock; undefined when it is not remembered. */
  lastCall(id: DidKey): number | undefined {
    return this.#callers.lastUse(id)
  }
}
