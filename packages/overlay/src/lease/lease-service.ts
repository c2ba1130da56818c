import {
  type Clock,
  type Logger,
  type Random,
  type Scope,
  WeftError,
  compareBytes,
  isWeftError,
  messageOf,
  shuffled,
  throwIfAborted,
} from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import { METHODS, type Lease } from '@weft/wire'
import type { Membership } from '../member.ts'
import type { Network } from '../network/network.ts'
import type { LeaseState } from '../overlay.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { EncodedAnswer } from '../rpc.ts'
import { RpcHandlers } from '../rpc-handlers.ts'
import type { Transport } from '../transport/transport.ts'
import { encodeLeaseList } from './encode-lease-list.ts'
import type { LeaseUse } from './lease-body.ts'
import { LeaseBook } from './lease-book.ts'
import { LeaseDesk } from './lease-desk.ts'
import { LeaseHolder } from './lease-holder.ts'
import { type VerifiedLease, readLease } from './lease.ts'
import { requireOwnLease } from './require-own-lease.ts'

export interface LeaseServiceInit {
  readonly network: Network
  readonly key: SigningKey
  readonly transport: Pick<Transport, 'call' | 'handle' | 'connected' | 'ping'>
  readonly membership: Pick<Membership, 'isMember'>
  readonly revocations: Revocations
  /** What this client lends; empty for whoever lends nothing, and for members. */
  readonly uses: readonly LeaseUse[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called at every change of `own()`. */
  readonly onState: () => void
}

/** Bytes of a list in one answer. */
const PAGE = METHODS['lease.list'].maxResponse
/** Pages of one validator that are read: with the smallest pages more leases than a node remembers. */
const MAX_PAGES = 32
/** Validators whose lists are read each time. */
const SOURCES = 2
/** Leases that are verified in one go. */
const SLICE = 8
/** Leases of one validator that are looked at although they do not hold; a newer term that this node does not know yet makes some. */
const MAX_BAD = 8
/** ms for which what they said is told again without asking. */
const FRESH_MS = 5_000
const NO_LEASE = {
  code: 'E_LEASE_MALFORMED',
  cause: 'The request carries no lease.',
  fix: 'The sender has to follow docs/specs/leases.md; update the older of the two sides.',
}

/** This node's part in leases: a validator votes for them and lists them, a client may hold one, everybody may read the list. */
export class LeaseService {
  readonly #init: LeaseServiceInit
  readonly #book: LeaseBook
  readonly #rpc: RpcHandlers
  readonly #holder: LeaseHolder | undefined
  #desk: LeaseDesk | undefined
  /** ms of the monotonic clock. */
  #askedAt = -Infinity

  /** Registers its calls at once. */
  constructor(init: LeaseServiceInit) {
    this.#init = init
    this.#book = new LeaseBook(init)
    this.#rpc = new RpcHandlers(init.transport)
    this.#holder = init.uses.length === 0 ? undefined : new LeaseHolder({ ...init, rpc: init.transport })
    this.#onTerm()
  }

  /** Holds a lease, and follows who the validators are, until the scope closes. */
  start(scope: Scope): void {
    scope.defer(
      'leases of the term',
      this.#init.network.onTerm(() => this.#onTerm()),
    )
    const holder = this.#holder
    if (holder !== undefined) scope.spawn('lease', (signal) => holder.run(signal))
  }

  own(): LeaseState {
    return this.#holder?.state() ?? { state: 'none' }
  }

  /**
   * The leases in force, of nodes that are no members, as validators list them; each was verified here.
   * @throws WeftError E_LEASE_LIST when none of the validators that were asked answers; E_ABORTED
   */
  async list(signal: AbortSignal): Promise<readonly VerifiedLease[]> {
    const { clock, membership } = this.#init
    if (clock.monotonic() - this.#askedAt >= FRESH_MS) await this.#askForLeases(signal)
    return this.#book.inForce().filter(({ body }) => !membership.isMember(body.id))
  }

  /** A validator has a desk. */
  #onTerm(): void {
    const { network, key, transport, membership, revocations, clock, logger } = this.#init
    this.#rpc.end()
    if (!network.isValidator(key.id)) return
    // The same in each term: it knows for whom it voted.
    const desk = (this.#desk ??= new LeaseDesk({
      network,
      key,
      isMember: (id) => membership.isMember(id),
      revocation: (id) => revocations.of(id),
      ping: (id, signal) => transport.ping(id, signal),
      clock,
      logger,
    }))
    this.#rpc.handle('lease.ask', async (request, caller, signal) => ({
      vote: await desk.judge(request, caller, signal),
    }))
    this.#rpc.handle('lease.submit', async ({ lease }, caller) => {
      if (lease === undefined) throw new WeftError(NO_LEASE)
      requireOwnLease(readLease(network, lease.body), caller.id)
      this.#book.offer(lease)
      return {}
    })
    this.#rpc.handle(
      'lease.list',
      async ({ after }) => new EncodedAnswer(encodeLeaseList(this.#book.encodedAfter(after, PAGE))),
    )
  }

  async #askForLeases(signal: AbortSignal): Promise<void> {
    const { network, key, transport, random, clock } = this.#init
    const isOwn = network.isValidator(key.id)
    const connected = new Set(transport.connected())
    const validators = shuffled(random, network.validators)
      .map(({ id }) => id)
      .filter((id) => id !== key.id)
      .toSorted((a, b) => Number(connected.has(b)) - Number(connected.has(a)))
    let answers = 0
    for (let at = 0; at < validators.length && answers < SOURCES; at += SOURCES) {
      const asked = validators.slice(at, at + SOURCES).map((id) => this.#ask(id, signal))
      answers += (await Promise.all(asked)).filter(Boolean).length
      throwIfAborted(signal)
    }
    if (!isOwn && answers === 0) throw unanswered(validators.length)
    this.#askedAt = clock.monotonic()
  }

  async #ask(validator: DidKey, signal: AbortSignal): Promise<boolean> {
    const { transport, logger } = this.#init
    let after: Uint8Array = new Uint8Array()
    let bad = 0
    try {
      for (let page = 0; page < MAX_PAGES; page++) {
        const { leases } = await transport.call(validator, 'lease.list', { after }, { signal })
        const last = leases.at(-1)
        if (last === undefined) return true
        for (const [at, lease] of leases.entries()) {
          // Each takes the verification of a quorum of votes; a page of them would hold up all else.
          if (at % SLICE === SLICE - 1) await nextTurn()
          throwIfAborted(signal)
          if (!this.#takes(lease, validator)) bad++
          if (bad > MAX_BAD) return false
        }
        const { key } = readLease(this.#init.network, last.body)
        // Whoever repeats itself is not asked without end.
        if (after.length > 0 && compareBytes(key, after) <= 0) return true
        after = key
      }
      return true
    } catch (error) {
      if (!signal.aborted)
        logger.debug('no leases from this validator', { validator: shortId(validator), error: messageOf(error) })
      return false
    }
  }

  /** False for a lease that does not hold; it keeps no other from being read. One that ended on the way is none of these. */
  #takes(lease: Lease, validator: DidKey): boolean {
    try {
      this.#book.offer(lease)
      return true
    } catch (error) {
      this.#init.logger.debug('a lease was not taken', { validator: shortId(validator), error: messageOf(error) })
      return isWeftError(error, 'E_LEASE_EXPIRED')
    }
  }
}

/** Lets others have the thread. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function unanswered(asked: number): WeftError {
  return new WeftError({
    code: 'E_LEASE_LIST',
    cause: `None of the ${asked} validators told which leases there are.`,
    fix: 'Try again; weft check says whether the validators can be reached.',
    retryable: true,
  })
}
