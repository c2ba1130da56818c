import { type Clock, WeftError, compareBytes, equalBytes } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Lease } from '@weft/wire'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { type VerifiedLease, isNewer, readLease, verifyLease } from './lease.ts'

export interface LeaseBookInit {
  readonly network: Network
  readonly revocations: Pick<Revocations, 'voids'>
  readonly clock: Clock
}

/**
 * Leases that are remembered. Each honest validator votes for `MAX_LEASES` at most, and f hostile ones need f + 1 honest
 * votes for each, so that there are never more than about twice as many.
 */
const MAX_KNOWN = 2_048

/** The leases in force that this node has seen, the newest of each key. Each was verified. */
export class LeaseBook {
  readonly #init: LeaseBookInit
  readonly #byId = new Map<DidKey, VerifiedLease>()

  constructor(init: LeaseBookInit) {
    this.#init = init
  }

  /** Those in force, by public key. */
  inForce(): readonly VerifiedLease[] {
    this.#prune()
    return [...this.#byId.values()]
      .filter(({ body }) => !this.#init.revocations.voids(body))
      .toSorted((a, b) => compareBytes(a.body.key, b.body.key))
  }

  /**
   * Takes a lease from anywhere. True when it was news.
   * @throws WeftError E_LEASE_MALFORMED, E_NETWORK_MISMATCH, E_LEASE_EXPIRED, E_LEASE_QUORUM, E_LEASE_LIMIT
   */
  offer(message: Pick<Lease, 'body' | 'votes'>): boolean {
    const { network, clock } = this.#init
    const { id, expiresAt } = readLease(network, message.body)
    // What costs nothing first: signatures are looked at last.
    if (expiresAt <= clock.now()) throw ended(id, expiresAt, clock.now())
    this.#prune()
    const known = this.#byId.get(id)
    if (known !== undefined && equalBytes(known.bodyBytes, message.body)) return false
    if (known === undefined && this.#byId.size >= MAX_KNOWN) throw full()
    const lease = verifyLease(network, message)
    if (known !== undefined && !isNewer(lease, known)) return false
    this.#byId.set(id, lease)
    return true
  }

  #prune(): void {
    const now = this.#init.clock.now()
    for (const [id, { body }] of this.#byId) if (body.expiresAt <= now) this.#byId.delete(id)
  }
}

function ended(id: DidKey, expiresAt: number, now: number): WeftError {
  return new WeftError({
    code: 'E_LEASE_EXPIRED',
    cause: `The lease of ${shortId(id)} ended ${now - expiresAt} ms ago.`,
    fix: 'The node has to ask for a new one; if it believes that this one is in force, its clock is wrong.',
  })
}

function full(): WeftError {
  return new WeftError({
    code: 'E_LEASE_LIMIT',
    cause: `This node remembers ${MAX_KNOWN} leases already.`,
    fix: 'Nothing to do: the lease is shown again when it is renewed.',
    retryable: true,
  })
}
