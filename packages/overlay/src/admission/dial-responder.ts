import { type Clock, WeftError, isLoopback, withTimeout } from '@weft/core'
import { type DidKey, fromDidKey, toDidKey } from '@weft/crypto'
import { isDialable } from '../network/dialable.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { parseNodeAddress } from '../network/node-address.ts'
import type { Caller, RequestOf, ResponseInitOf } from '../rpc.ts'
import { AddressLimiter } from './address-limiter.ts'
import { CHALLENGE_NONCE_LENGTH } from './challenge-answer.ts'
import { AGREEING_DIALERS, dialersOf } from './dialers-of.ts'
import type { Prober } from './probe.ts'

export interface DialResponderInit {
  readonly network: Pick<Network, 'id' | 'file' | 'validators'>
  readonly self: DidKey
  /** How many the newest map has. */
  readonly members: () => number
  readonly prober: Prober
  readonly clock: Clock
}

/** Dials at once; each makes a host of its own for a moment. */
const AT_ONCE = 4
/** What one validator may ask for; for each address of an applicant it asks up to three members, once each. */
const PER_VALIDATOR = { burst: 16, refillMs: 1_000, addresses: 256 }
/** Dials to one host (one /64 for IPv6), whoever asks: validators that lie together reach nobody's host more often. */
const PER_HOST = { burst: 16, refillMs: 5_000, addresses: 4_096 }
const DIAL_TIMEOUT_MS = 4_000

/**
 * Answers `admission.dial`: dials an applicant for a validator, as a stranger, puts the validator's challenge to it, and hands
 * back what it signed. Of a dial that failed nothing is said.
 */
export class DialResponder {
  readonly #init: DialResponderInit
  readonly #validators: AddressLimiter
  readonly #hosts: AddressLimiter
  #dialling = 0

  constructor(init: DialResponderInit) {
    this.#init = init
    this.#validators = new AddressLimiter(PER_VALIDATOR, init.clock)
    this.#hosts = new AddressLimiter(PER_HOST, init.clock)
  }

  /** The registry lets only validators call. @throws WeftError E_DIAL_REFUSED, E_DIAL_BUSY */
  async answer(
    {
      applicant,
      nonce,
      address,
      epoch,
    }: Pick<RequestOf<'admission.dial'>, 'applicant' | 'nonce' | 'address' | 'epoch'>,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<ResponseInitOf<'admission.dial'>> {
    const host = parseNodeAddress(address)?.host
    if (host === undefined || !isDialable(this.#init.network, address))
      throw refused('at the address named no node of this network can be')
    if (applicant.length !== 32 || nonce.length !== CHALLENGE_NONCE_LENGTH)
      throw refused('the key or the nonce has not its length')
    if (!this.#isDrawn(host, Number(epoch), caller.id))
      throw refused('it is not among those that dial this host for this validator in this map epoch')
    if (this.#dialling >= AT_ONCE || !this.#validators.take(caller.id)) throw busy()
    if (!isLoopback(host) && !this.#hosts.take(host)) throw busy()
    this.#dialling++
    try {
      return await this.#dial(applicant, nonce, address, caller, signal)
    } finally {
      this.#dialling--
    }
  }

  /** Whether this is the epoch, as far as clocks agree, and this node is drawn in it. */
  #isDrawn(host: string, epoch: number, validator: DidKey): boolean {
    const { network, self, members, clock } = this.#init
    const { clockToleranceMs } = network.file
    const [earliest, latest] = [-clockToleranceMs, clockToleranceMs].map((off) =>
      Math.max(0, epochAt(network.file, clock.now() + off)),
    ) as [number, number]
    if (epoch < earliest || epoch > latest) return false
    const errand = { network: network.id, epoch, validator: fromDidKey(validator), host }
    return dialersOf(errand, members(), AGREEING_DIALERS)(fromDidKey(self))
  }

  async #dial(
    applicant: Uint8Array,
    nonce: Uint8Array,
    address: string,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<ResponseInitOf<'admission.dial'>> {
    const { prober, clock } = this.#init
    const id = toDidKey(applicant)
    try {
      return await withTimeout(
        clock,
        DIAL_TIMEOUT_MS,
        signal,
        () => refused('nobody answered'),
        async (inner) => {
          await using probe = await prober.probe(address, id, inner)
          const request = { nonce, validator: fromDidKey(caller.id), address }
          const { answer } = await probe.rpc.call(id, 'admission.challenge', request, { signal: inner })
          return answer === undefined ? {} : { answer }
        },
      )
    } catch {
      return {}
    }
  }
}

function refused(why: string): WeftError {
  return new WeftError({
    code: 'E_DIAL_REFUSED',
    cause: `The node does not dial for a validator: ${why}.`,
    fix: 'Ask for an address at which nodes of the network may be (docs/specs/admission.md).',
  })
}

function busy(): WeftError {
  return new WeftError({
    code: 'E_DIAL_BUSY',
    cause: 'The node dials for others already, or was asked too often by this validator or for this host.',
    fix: 'Nothing to do: the validator asks another member.',
    retryable: true,
  })
}
