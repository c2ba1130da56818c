import { type Clock, WeftError, compareBytes, equalBytes } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { type Lease, LeaseSchema, encodeMessage } from '@weft/wire'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { type VerifiedLease, isNewer, readLease, toWireLease, verifyLease } from './lease.ts'

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

interface Kept {
  readonly lease: VerifiedLease
  /** In its wire form (weft.v1.Lease), as lists have it: they are asked for by strangers. */
  readonly encoded: Uint8Array
}

/** The leases in force that this node has seen, the newest of each key. Each was verified. */
export class LeaseBook {
  readonly #init: LeaseBookInit
  readonly #byId = new Map<DidKey, Kept>()
  /** All of them by public key; undefined when there are others since. */
  #sorted: readonly Kept[] | undefined

  /** When the first of them ends, at the earliest; ms since the Unix epoch. */
  #endsFrom = Infinity

  constructor(init: LeaseBookInit) {
    this.#init = init
  }

  /** Those in force, by public key. */
  inForce(): readonly VerifiedLease[] {
    return this.#kept().map(({ lease }) => lease)
  }

  /**
   * The wire forms of those in force behind a public key, as many as fit.
   * @param room bytes, of which each takes 4 more than it is long
   */
  encodedAfter(key: Uint8Array, room: number): readonly Uint8Array[] {
    const page: Uint8Array[] = []
    let left = room
    for (const { lease, encoded } of this.#kept()) {
      if (compareBytes(lease.body.key, key) <= 0) continue
      left -= encoded.length + 4
      if (left < 0) break
      page.push(encoded)
    }
    return page
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
    const known = this.#byId.get(id)?.lease
    if (known !== undefined && equalBytes(known.bodyBytes, message.body)) return false
    if (known === undefined && this.#byId.size >= MAX_KNOWN) throw full()
    const lease = verifyLease(network, message)
    if (known !== undefined && !isNewer(lease, known)) return false
    this.#endsFrom = Math.min(this.#endsFrom, expiresAt)
    this.#byId.set(id, { lease, encoded: encodeMessage(LeaseSchema, toWireLease(lease)) })
    this.#sorted = undefined
    return true
  }

  #kept(): readonly Kept[] {
    this.#prune()
    this.#sorted ??= [...this.#byId.values()].toSorted((a, b) => compareBytes(a.lease.body.key, b.lease.body.key))
    return this.#sorted.filter(({ lease }) => !this.#init.revocations.voids(lease.body))
  }

  #prune(): void {
    const now = this.#init.clock.now()
    // Asked for with each lease that comes: a look at all of them each time would cost the square of their number.
    if (now < this.#endsFrom) return
    this.#endsFrom = Infinity
    for (const [id, { lease }] of this.#byId) {
      if (lease.body.expiresAt > now) {
        this.#endsFrom = Math.min(this.#endsFrom, lease.body.expiresAt)
        continue
      }
      this.#byId.delete(id)
      this.#sorted = undefined
    }
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
