import { type Clock, type Logger, WeftError, equalBytes, messageOf, toHex } from '@weft/core'
import { type DidKey, type SigningKey, sha256, shortId, toDidKey } from '@weft/crypto'
import { type Revocation, RevocationSchema, type Signature, SignatureSchema, create } from '@weft/wire'
import { validVotes } from '../admission/certificate.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import { type RevocationBody, encodeRevocationBody } from './revocation-body.ts'
import { readRevocation } from './revocation.ts'
import type { Revocations } from './revocations.ts'

export interface RevocationDeskInit {
  readonly network: Network
  readonly key: SigningKey
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly logger: Logger
  readonly revocations: Revocations
  /** Tells everybody what a quorum decided. */
  readonly tell: (revocation: Revocation) => Promise<void>
}

/** A decision that has not got its quorum yet. */
export interface PendingRevocation {
  readonly body: RevocationBody
  /** Who voted for it. */
  readonly voters: readonly DidKey[]
}

type Vote = Omit<Signature, '$typeName'>

interface Pending {
  readonly body: RevocationBody
  readonly bodyBytes: Uint8Array
  readonly votes: Map<DidKey, Vote>
}

/** Two decisions whose ends are so close are one, ms. */
const DAY_MS = 24 * 3_600_000
/** ms for which a decision waits for its quorum. */
const PENDING_MS = 7 * DAY_MS
/** Decisions of one validator that wait at once: what a hostile one can make the others remember. */
const MAX_OPENED = 32

/** What to decide about a node. */
export type Verdict = Pick<RevocationBody, 'key' | 'id' | 'issuedUpTo' | 'blockedUntil' | 'reason'>

/**
 * Where a validator votes for the ejection of a node, and gathers the votes of the others. A vote is given on the word of its own
 * operator or on evidence that it checked itself, never because another validator voted.
 */
export class RevocationDesk {
  readonly #init: RevocationDeskInit
  readonly #pending = new Map<string, Pending>()

  constructor(init: RevocationDeskInit) {
    this.#init = init
  }

  /** What waits for votes, the oldest first. */
  pending(): readonly PendingRevocation[] {
    this.#forget()
    return [...this.#pending.values()].map(({ body, votes }) => ({ body, voters: [...votes.keys()] }))
  }

  /**
   * Votes: for a decision of the same effect that waits already, or for a new one; and tells the other validators.
   * @returns the votes that it has now, and whether it is decided by them
   */
  async vote(verdict: Verdict, signal: AbortSignal): Promise<{ readonly votes: number; readonly decided: boolean }> {
    const { network, key, clock, rpc, logger, revocations } = this.#init
    this.#forget()
    const known = revocations.of(verdict.id)
    if (
      known !== undefined &&
      isSameEffect(known.body, verdict) &&
      known.body.blockedUntil + DAY_MS > verdict.blockedUntil
    )
      return { votes: known.votes.length, decided: true }
    const same = [...this.#pending.values()].find(({ body }) => isSameEffect(body, verdict))
    const bodyBytes =
      same?.bodyBytes ?? encodeRevocationBody({ ...verdict, network: network.id, decidedAt: clock.now() })
    const vote: Vote = { signer: key.publicKey, signature: key.sign('revoke', bodyBytes) }
    const told = network.validators.flatMap(({ id }) =>
      id === key.id
        ? []
        : [
            rpc.call(id, 'revocation.vote', { body: bodyBytes, vote }, { signal }).catch((error: unknown) => {
              if (!signal.aborted) logger.debug('vote not told', { validator: shortId(id), error: messageOf(error) })
            }),
          ],
    )
    const counted = await this.take(bodyBytes, vote)
    await Promise.all(told)
    return counted
  }

  /**
   * Counts a vote of a validator.
   * @throws WeftError E_REVOCATION_MALFORMED, E_NETWORK_MISMATCH, E_SIGNATURE_INVALID, E_REVOCATION_LIMIT
   */
  async take(bodyBytes: Uint8Array, vote: Vote): Promise<{ readonly votes: number; readonly decided: boolean }> {
    const { network, clock, revocations, tell } = this.#init
    this.#forget()
    const body = readRevocation(network, bodyBytes)
    const term = network.termAt(epochAt(network.file, body.decidedAt))
    const [signature] = validVotes(term, 'revoke', bodyBytes, [create(SignatureSchema, vote)])
    if (signature === undefined)
      throw new WeftError({
        code: 'E_SIGNATURE_INVALID',
        cause: 'The vote for a revocation is not the valid signature of a validator.',
        fix: 'Update the validator that sent it, or look who uses its key.',
      })
    if (Math.abs(body.decidedAt - clock.now()) > PENDING_MS) throw tooOld(body)
    const known = revocations.of(body.id)
    // A vote that comes when all is decided, or when something later was.
    if (known !== undefined && known.body.decidedAt >= body.decidedAt)
      return { votes: known.votes.length, decided: equalBytes(known.bodyBytes, bodyBytes) }
    const voter = toDidKey(vote.signer)
    const name = toHex(sha256(bodyBytes))
    let pending = this.#pending.get(name)
    if (pending === undefined) {
      if (this.#openedBy(voter) >= MAX_OPENED) throw tooMany(voter)
      pending = { body, bodyBytes, votes: new Map() }
      this.#pending.set(name, pending)
    }
    pending.votes.set(voter, vote)
    const votes = pending.votes.size
    if (votes < term.quorum) return { votes, decided: false }
    this.#pending.delete(name)
    const revocation = create(RevocationSchema, { body: bodyBytes, votes: [...pending.votes.values()] })
    revocations.offer(revocation)
    await tell(revocation)
    return { votes, decided: true }
  }

  /** Decisions that wait and for which this validator voted first. */
  #openedBy(voter: DidKey): number {
    return [...this.#pending.values()].filter(({ votes }) => votes.keys().next().value === voter).length
  }

  #forget(): void {
    const now = this.#init.clock.now()
    for (const [name, { body }] of this.#pending)
      if (Math.abs(now - body.decidedAt) > PENDING_MS) this.#pending.delete(name)
  }
}

/** Two operators who eject the same node for the same reason mean the same. */
function isSameEffect(body: RevocationBody, verdict: Verdict): boolean {
  return body.id === verdict.id && body.reason === verdict.reason && body.issuedUpTo < 0 === verdict.issuedUpTo < 0
}

function tooOld({ id }: RevocationBody): WeftError {
  return new WeftError({
    code: 'E_REVOCATION_MALFORMED',
    cause: `The vote for the revocation of ${shortId(id)} is of a decision more than ${PENDING_MS / 86_400_000} days away from now.`,
    fix: 'Decide again; check the clocks of the validators.',
  })
}

function tooMany(voter: DidKey): WeftError {
  return new WeftError({
    code: 'E_REVOCATION_LIMIT',
    cause: `${shortId(voter)} has ${MAX_OPENED} decisions that wait for the votes of other validators.`,
    fix: 'Have the operators of the other validators vote, or wait until the older ones are forgotten after seven days.',
    retryable: true,
  })
}
