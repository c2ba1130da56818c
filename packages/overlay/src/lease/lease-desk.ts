import { type Clock, type Logger, WeftError, isLoopback, isWeftError } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import type { Signature } from '@weft/wire'
import { AddressLimiter } from '../admission/address-limiter.ts'
import { epochAt } from '../network/epoch.ts'
import { networkPrefix } from '../network/network-prefix.ts'
import type { Network } from '../network/network.ts'
import { remoteHost } from '../network/remote-host.ts'
import { REVOCATION_REASONS } from '../revocation/revocation-body.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Caller, RequestOf } from '../rpc.ts'
import { GrantedLeases } from './granted-leases.ts'
import type { LeaseBody } from './lease-body.ts'
import { leaseEnd, readLease } from './lease.ts'
import { requireOwnLease } from './require-own-lease.ts'

export interface LeaseDeskInit {
  readonly network: Network
  readonly key: SigningKey
  /** Whether a node is certified: members have roles, and need no lease. */
  readonly isMember: (id: DidKey) => boolean
  readonly revocation: Revocations['of']
  /** One round trip to a node over the connection that it has. @throws when there is none */
  readonly ping: (id: DidKey, signal: AbortSignal) => Promise<unknown>
  readonly clock: Clock
  readonly logger: Logger
}

/** Requests judged at once; each costs a round trip to its node. */
const AT_ONCE = 32
/** Of these from one /24 (IPv4) or /48 (IPv6), so that one who answers no ping leaves places to others. */
const AT_ONCE_PER_PREFIX = 8
/** A node asks twice an hour; a devnet's nodes all ask from one address. */
const RATE = { burst: 16, refillMs: 10_000, addresses: 4_096 }

/** Where a validator judges by itself whether a client gets a lease, and votes for it. */
export class LeaseDesk {
  readonly #init: LeaseDeskInit
  readonly #limiter: AddressLimiter
  readonly #granted: GrantedLeases
  /** By node: the network it asks from; undefined on loopback, where the nodes of a devnet all are. */
  readonly #asking = new Map<DidKey, string | undefined>()

  constructor(init: LeaseDeskInit) {
    this.#init = init
    this.#limiter = new AddressLimiter(RATE, init.clock)
    this.#granted = new GrantedLeases(init.clock)
  }

  /**
   * Judges one request and signs its body (purpose `lease`).
   * @throws WeftError E_LEASE_BUSY, E_LEASE_LIMIT (both retryable), E_LEASE_MALFORMED, E_NETWORK_MISMATCH, E_LEASE_SIGNER,
   * E_LEASE_TERM, E_CLOCK_SKEW, E_LEASE_MEMBER, E_REVOKED, E_LEASE_RELAYED, E_LEASE_SILENT
   */
  async judge(
    request: Pick<RequestOf<'lease.ask'>, 'body' | 'time'>,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<Omit<Signature, '$typeName'>> {
    if (this.#asking.has(caller.id)) throw busy('a request of this node is being judged already')
    if (this.#asking.size >= AT_ONCE) throw busy('too many requests are being judged')
    const prefix = prefixOf(caller)
    const alike = [...this.#asking.values()].filter((each) => each !== undefined && each === prefix).length
    if (alike >= AT_ONCE_PER_PREFIX) throw busy('too many requests of the network around its address are being judged')
    if (!this.#limiter.take(caller.address)) throw busy('too many requests came from the address of this node')
    this.#asking.set(caller.id, prefix)
    try {
      return await this.#judge(request, caller, signal)
    } catch (error) {
      if (isWeftError(error))
        this.#init.logger.debug('lease refused', { node: shortId(caller.id), code: error.code, cause: error.cause })
      throw error
    } finally {
      this.#asking.delete(caller.id)
    }
  }

  async #judge(
    request: Pick<RequestOf<'lease.ask'>, 'body' | 'time'>,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<Omit<Signature, '$typeName'>> {
    const { network, key, clock } = this.#init
    const now = clock.now()
    const body = readLease(network, request.body)
    requireOwnLease(body, caller.id)
    this.#requireNow(body, Number(request.time), now)
    this.#requireClient(body.id, now)
    const host = remoteHost(caller.address)
    if (host === undefined) throw relayed()
    await this.#requireAlive(body.id, signal)
    // After the only wait, so that no two requests take one place.
    this.#granted.add(body.id, host, body.expiresAt)
    return { signer: key.publicKey, signature: key.sign('lease', request.body) }
  }

  #requireNow(body: LeaseBody, time: number, now: number): void {
    const { network } = this.#init
    const { clockToleranceMs } = network.file
    const skew = time - now
    if (Math.abs(skew) > clockToleranceMs) {
      throw new WeftError({
        code: 'E_CLOCK_SKEW',
        cause: `The clock of the node is ${Math.abs(skew)} ms ${skew > 0 ? 'ahead of' : 'behind'} the validator's; ${clockToleranceMs} ms are allowed.`,
        fix: 'Set the clock right, e.g. with `timedatectl set-ntp true`, and start the node again.',
      })
    }
    const first = epochAt(network.file, now - clockToleranceMs)
    const last = epochAt(network.file, now + clockToleranceMs)
    if (body.issuedEpoch >= first && body.issuedEpoch <= last && body.expiresAt > now) return
    throw new WeftError({
      code: 'E_LEASE_TERM',
      cause: `A lease is asked for of epoch ${body.issuedEpoch} and with an end at ${body.expiresAt}; now are epochs ${first} to ${last}, and a lease of that epoch ends at ${leaseEnd(network, body.issuedEpoch)} at the latest.`,
      fix: 'Start the node with the network file that the validators have; update the older of the two sides.',
    })
  }

  #requireClient(id: DidKey, now: number): void {
    const { isMember, revocation } = this.#init
    if (isMember(id)) {
      throw new WeftError({
        code: 'E_LEASE_MEMBER',
        cause: `${shortId(id)} is a certified member, and leases are for clients.`,
        fix: 'Set node.forward = false in weft.toml, or run the node as a client (--roles client).',
      })
    }
    const decided = revocation(id)?.body
    if (decided === undefined || decided.blockedUntil <= now) return
    throw new WeftError({
      code: 'E_REVOKED',
      cause: `The validators have ejected ${shortId(id)} until ${new Date(decided.blockedUntil).toISOString()}: ${REVOCATION_REASONS[decided.reason]}.`,
      fix: 'Ask the operators of the validators. If the key is in other hands, make a new home (weft init) and retire this one.',
    })
  }

  async #requireAlive(id: DidKey, signal: AbortSignal): Promise<void> {
    try {
      await this.#init.ping(id, signal)
    } catch {
      // What was met on the way is nobody's to learn.
      throw new WeftError({
        code: 'E_LEASE_SILENT',
        cause: `${shortId(id)} did not answer the validator over the connection by which it asked.`,
        fix: 'Nothing to do: the node asks again by itself.',
        retryable: true,
      })
    }
  }
}

function prefixOf({ address }: Caller): string | undefined {
  const host = remoteHost(address)
  return host === undefined || isLoopback(host) ? undefined : networkPrefix(host)
}

function relayed(): WeftError {
  return new WeftError({
    code: 'E_LEASE_RELAYED',
    cause: 'The node asks over a relay, so that the validator does not see from where.',
    fix: 'Nothing to do: the node asks again by itself over a direct connection.',
    retryable: true,
  })
}

function busy(why: string): WeftError {
  return new WeftError({
    code: 'E_LEASE_BUSY',
    cause: `The validator does not judge the request now: ${why}.`,
    fix: 'Nothing to do: the node asks again by itself.',
    retryable: true,
  })
}
