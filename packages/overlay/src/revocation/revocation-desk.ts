import { type Clock, type Logger, WeftError, equalBytes, messageOf } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import { type Revocation, RevocationSchema, create } from '@weft/wire'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { CallOptions, Rpc } from '../rpc.ts'
import { PendingRevocations, type RevocationSignature, type WaitingRevocation } from './pending-revocations.ts'
import { type RevocationBody, encodeRevocationBody } from './revocation-body.ts'
import type { RevocationDatabase } from './revocation-database.ts'
import { covers, isWayBack } from './revocation.ts'
import type { Revocations } from './revocations.ts'

export interface RevocationDeskInit {
  readonly network: Network
  readonly key: SigningKey
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly logger: Logger
  readonly revocations: Revocations
  readonly database: RevocationDatabase
  /** Tells everybody what a quorum decided. */
  readonly tell: (revocation: Revocation) => Promise<void>
}

/** A decision that has not got its quorum yet. */
export interface PendingRevocation {
  readonly body: RevocationBody
  /** Who voted for it. */
  readonly voters: readonly DidKey[]
}

/** How a vote was counted. */
export interface CountedVote {
  /** Those that the decision has now. */
  readonly votes: number
  readonly decided: boolean
}

/** How the vote of this validator's operator was counted. */
export interface CastVote extends CountedVote {
  /** What it is for: reason and time are those of the validator that voted first. */
  readonly body: RevocationBody
  /** Validators that want it ejected too, but for another time, so that their votes do not add up with this one. */
  readonly apart: number
  /** Whether an earlier vote of this validator for the opposite counts no more. */
  readonly tookBack: boolean
}

/** Own votes about one key, at most, that wait when another one is given without being asked again. */
const MAX_FOLLOWED = 4

/** What to decide about a node. */
export type Verdict = Pick<RevocationBody, 'key' | 'id' | 'issuedUpTo' | 'blockedUntil' | 'reason'>

/**
 * Where a validator votes for the ejection of a node, and gathers the votes of the others. A vote is given on the word of its own
 * operator, never because another validator voted.
 */
export class RevocationDesk {
  readonly #init: RevocationDeskInit
  readonly #pending: PendingRevocations

  constructor(init: RevocationDeskInit) {
    this.#init = init
    this.#pending = new PendingRevocations({ ...init, self: init.key.id })
  }

  /** What waits for votes, the oldest first. */
  pending(): readonly PendingRevocation[] {
    return this.#pending.all().map(({ body, votes }) => ({ body, voters: [...votes.keys()] }))
  }

  /**
   * Votes on the word of the operator: for a decision that waits already and does what was asked, or for a new one; and tells
   * the other validators, again what it had told them before. An own vote for the opposite that waits is taken back by it.
   * @throws WeftError E_REVOCATION_NONE, E_REVOCATION_LIMIT, E_DISK_FULL, E_STATE_UNWRITABLE
   */
  async vote(verdict: Verdict, signal: AbortSignal): Promise<CastVote> {
    const { key, clock, revocations } = this.#init
    const known = revocations.of(verdict.id)
    const waiting = this.#pending.of(verdict.id)
    const opposite = waiting.filter(({ body, votes }) => votes.has(key.id) && isWayBack(body) !== isWayBack(verdict))
    const tookBack = opposite.length > 0
    if (known !== undefined && !tookBack && covers(known.body, verdict, clock.now()))
      return { votes: known.votes.length, decided: true, body: known.body, apart: 0, tookBack }
    if (isWayBack(verdict) && !tookBack && (known === undefined || isWayBack(known.body))) throw nothingIs(verdict)
    // What it says last has to be later than all that it takes the place of, whatever the clocks of the others say.
    const after = Math.max(
      -1,
      ...[...opposite, ...(known === undefined ? [] : [known])].map((one) => one.body.decidedAt),
    )
    const counted: CastVote[] = []
    for (const bodyBytes of this.#toVoteFor(verdict, waiting, after)) {
      const cast = await this.#cast(bodyBytes, { signal })
      counted.push({ ...cast, apart: cast.decided ? 0 : this.#apart(verdict), tookBack })
      if (cast.decided) break
    }
    counted.sort((a, b) => Number(b.decided) - Number(a.decided) || b.votes - a.votes)
    return counted[0] as CastVote
  }

  /**
   * Counts a vote that a validator sent. Where this validator's operator wants the same, it votes for this decision too, so that
   * votes which began apart gather on one.
   * @throws WeftError E_REVOCATION_MALFORMED, E_NETWORK_MISMATCH, E_SIGNATURE_INVALID, E_REVOCATION_LIMIT
   */
  async take(bodyBytes: Uint8Array, vote: RevocationSignature): Promise<CountedVote> {
    const { key } = this.#init
    const verified = this.#pending.verify(bodyBytes, vote)
    // What this one said it has on disk, or has taken back since.
    if (verified.voter === key.id) return this.#standing(verified)
    const waiting = this.#pending.put(verified)
    if (waiting === undefined) return this.#standing(verified)
    const counted = await this.#counted(waiting)
    if (!counted.decided) this.#follow(waiting)
    return counted
  }

  /** The bodies to sign: those signed before, that with the most votes of the others, or else a new one. */
  #toVoteFor(verdict: Verdict, waiting: readonly WaitingRevocation[], after: number): readonly Uint8Array[] {
    const { network, key, clock } = this.#init
    const fitting = waiting.filter(({ body, term }) => body.decidedAt > after && this.#fits(body, term, verdict))
    const own = fitting.filter(({ votes }) => votes.has(key.id))
    const byVotes = fitting.filter(({ votes }) => !votes.has(key.id)).toSorted((a, b) => b.votes.size - a.votes.size)
    const chosen = [...own, ...byVotes.slice(0, 1)].map(({ bodyBytes }) => bodyBytes)
    if (chosen.length > 0) return chosen
    const decidedAt = Math.max(clock.now(), after + 1)
    const issuedUpTo = isWayBack(verdict) ? -1 : Math.max(verdict.issuedUpTo, epochAt(network.file, decidedAt))
    return [encodeRevocationBody({ ...verdict, network: network.id, issuedUpTo, decidedAt })]
  }

  /** Whether a vote for this body does what was asked: not less, and not with a time that nothing could follow. */
  #fits(body: RevocationBody, term: WaitingRevocation['term'], wanted: Verdict): boolean {
    const { network, key, clock } = this.#init
    if (isWayBack(body) !== isWayBack(wanted) || (body.reason === 'withdrawn') !== isWayBack(body)) return false
    if (!term.isValidator(key.id) || body.decidedAt > clock.now() + network.file.clockToleranceMs) return false
    if (isWayBack(body)) return true
    const epoch = Math.max(0, epochAt(network.file, body.decidedAt))
    return body.issuedUpTo === epoch && this.#left(body) >= this.#left(wanted) / 2
  }

  /** ms for which a key would be kept out from now on. */
  #left({ blockedUntil }: Pick<RevocationBody, 'blockedUntil'>): number {
    return Math.max(0, blockedUntil - this.#init.clock.now())
  }

  /** Signs, keeps, counts and tells a vote of this validator. */
  async #cast(bodyBytes: Uint8Array, options: CallOptions = {}): Promise<CountedVote & Pick<CastVote, 'body'>> {
    const { key } = this.#init
    const vote = { signer: key.publicKey, signature: key.sign('revoke', bodyBytes) }
    const verified = this.#pending.verify(bodyBytes, vote)
    const waiting = this.#pending.put(verified)
    const told = this.#tellVote(bodyBytes, vote, options)
    const counted = waiting === undefined ? this.#standing(verified) : await this.#counted(waiting)
    await told
    // Others may have followed while they were told.
    return { ...(counted.decided ? counted : this.#standing(verified)), body: verified.body }
  }

  async #tellVote(body: Uint8Array, vote: RevocationSignature, options: CallOptions): Promise<void> {
    const { network, key, rpc, logger } = this.#init
    const told = network.validators
      .filter(({ id }) => id !== key.id)
      .map(({ id }) =>
        rpc.call(id, 'revocation.vote', { body, vote }, options).catch((error: unknown) => {
          if (options.signal?.aborted !== true)
            logger.debug('vote not told', { validator: shortId(id), error: messageOf(error) })
        }),
      )
    await Promise.all(told)
  }

  /** Votes for what another one opened when the own operator asked for the same: that is, for about as long. */
  #follow({ body, bodyBytes, term, votes }: WaitingRevocation): void {
    const { key, logger } = this.#init
    const own = this.#pending.of(body.id).filter((one) => one.votes.has(key.id))
    const isAsked = own.some((one) => this.#fits(body, term, one.body) && this.#left(body) <= 2 * this.#left(one.body))
    if (votes.has(key.id) || own.length >= MAX_FOLLOWED || !isAsked) return
    this.#cast(bodyBytes).catch((error: unknown) => {
      logger.warn('no vote for the same decision of another validator', { error: messageOf(error) })
    })
  }

  async #counted(waiting: WaitingRevocation): Promise<CountedVote> {
    const { revocations, tell } = this.#init
    const votes = waiting.votes.size
    if (votes < waiting.term.quorum) return { votes, decided: false }
    const revocation = create(RevocationSchema, {
      body: waiting.bodyBytes,
      votes: [...waiting.votes.values()].map((vote) => ({ ...vote })),
    })
    revocations.offer(revocation)
    this.#pending.drop(waiting)
    await tell(revocation)
    return { votes, decided: true }
  }

  /** How it stands with a decision. */
  #standing({ body, bodyBytes }: Pick<WaitingRevocation, 'body' | 'bodyBytes'>): CountedVote {
    const { revocations, clock } = this.#init
    const known = revocations.of(body.id)
    const waiting = this.#pending.of(body.id).find((one) => equalBytes(one.bodyBytes, bodyBytes))
    if (waiting !== undefined) return { votes: waiting.votes.size, decided: false }
    if (known === undefined) return { votes: 0, decided: false }
    return { votes: known.votes.length, decided: covers(known.body, body, clock.now()) }
  }

  /** Validators whose votes for the ejection wait with other decisions than those that this one voted for. */
  #apart(verdict: Verdict): number {
    const { key } = this.#init
    if (isWayBack(verdict)) return 0
    const ejections = this.#pending.of(verdict.id).filter(({ body }) => !isWayBack(body))
    const votersWhere = (isJoined: boolean): Set<DidKey> =>
      new Set(ejections.filter(({ votes }) => votes.has(key.id) === isJoined).flatMap(({ votes }) => [...votes.keys()]))
    return votersWhere(false).difference(votersWhere(true)).size
  }
}

function nothingIs({ id }: Verdict): WeftError {
  return new WeftError({
    code: 'E_REVOCATION_NONE',
    cause: `There is nothing to take back: ${shortId(id)} is not ejected, and this validator has no vote for its ejection that waits.`,
    fix: 'See who is ejected and whose ejection waits for votes: weft network revocations.',
  })
}
