import { type Clock, type Logger, WeftError, messageOf, toHex } from '@weft/core'
import { type DidKey, sha256, shortId, toDidKey } from '@weft/crypto'
import { type Signature, SignatureSchema, create } from '@weft/wire'
import { validVotes } from '../admission/certificate.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Term } from '../terms/term.ts'
import type { RevocationBody } from './revocation-body.ts'
import type { RevocationDatabase } from './revocation-database.ts'
import { covers, isWayBack, readRevocation } from './revocation.ts'
import type { Revocations } from './revocations.ts'

export interface PendingRevocationsInit {
  readonly network: Network
  readonly self: DidKey
  readonly clock: Clock
  readonly logger: Logger
  readonly revocations: Pick<Revocations, 'of'>
  readonly database: RevocationDatabase
}

export type RevocationSignature = Pick<Signature, 'signer' | 'signature'>

/** A vote whose signature was found valid. */
export interface VerifiedRevocationVote {
  readonly body: RevocationBody
  readonly bodyBytes: Uint8Array
  /** The validators that decide: those of the epoch of `decidedAt`. */
  readonly term: Term
  readonly voter: DidKey
  readonly vote: RevocationSignature
}

/** A decision that waits, with its votes. */
export interface WaitingRevocation {
  readonly body: RevocationBody
  readonly bodyBytes: Uint8Array
  readonly term: Term
  readonly votes: ReadonlyMap<DidKey, RevocationSignature>
}

interface Waiting extends WaitingRevocation {
  /** SHA-256 of `bodyBytes`, 32 bytes. */
  readonly hash: Uint8Array
  /** Who voted for it first. It goes on counting against that one when the vote is taken back and others have joined, also after a restart. */
  readonly opener: DidKey
  readonly votes: Map<DidKey, RevocationSignature>
}

/** ms for which a decision waits for its quorum. */
const PENDING_MS = 7 * 24 * 3_600_000
/**
 * Decisions of one validator that wait at once: what a hostile one can make the others remember. Ejections and ways back
 * apart, so that what was opened can always be taken back.
 */
const MAX_OPENED = 32

/**
 * The votes for decisions that have no quorum yet, on disk. A decision waits for seven days, and no longer than until a later
 * one about the same key is in force. Of one validator a later vote for the opposite takes the place of an earlier one.
 */
export class PendingRevocations {
  readonly #init: PendingRevocationsInit
  /** By the hash of the body, hex; the oldest first. */
  readonly #byHash = new Map<string, Waiting>()

  constructor(init: PendingRevocationsInit) {
    this.#init = init
    for (const { body, signer, signature, opener } of init.database.revocationVotes()) {
      try {
        const verified = this.verify(body, { signer, signature })
        if (this.#count(verified, toDidKey(opener ?? signer)) !== undefined) continue
      } catch (error) {
        // Of another network file, too old, or damaged.
        init.logger.warn('a vote of before the restart is not used', { error: messageOf(error) })
      }
      this.#dropOnDisk(sha256(body), signer)
    }
  }

  /** What waits, the oldest first. */
  all(): readonly WaitingRevocation[] {
    this.#forget()
    return [...this.#byHash.values()]
  }

  /** What waits about one key. */
  of(id: DidKey): readonly WaitingRevocation[] {
    return this.all().filter(({ body }) => body.id === id)
  }

  /** @throws WeftError E_REVOCATION_MALFORMED, E_NETWORK_MISMATCH, E_SIGNATURE_INVALID */
  verify(bodyBytes: Uint8Array, { signer, signature }: RevocationSignature): VerifiedRevocationVote {
    const { network, clock } = this.#init
    const body = readRevocation(network, bodyBytes)
    const term = network.termAt(epochAt(network.file, body.decidedAt))
    const [vote] = validVotes(term, 'revoke', bodyBytes, [create(SignatureSchema, { signer, signature })])
    if (vote === undefined)
      throw new WeftError({
        code: 'E_SIGNATURE_INVALID',
        cause: 'The vote for a revocation is not the valid signature of a validator.',
        fix: 'Update the validator that sent it, or look who uses its key.',
      })
    if (Math.abs(body.decidedAt - clock.now()) > PENDING_MS) throw tooOld(body)
    return { body, bodyBytes, term, voter: toDidKey(signer), vote }
  }

  /**
   * Counts a vote; undefined where it does not count: something later is decided, or its validator said the opposite later.
   * One of this node's own is on disk when this returns.
   * @throws WeftError E_REVOCATION_LIMIT; for a vote of this node's own E_DISK_FULL, E_STATE_UNWRITABLE
   */
  put(verified: VerifiedRevocationVote): WaitingRevocation | undefined {
    const { self, database, logger } = this.#init
    const { bodyBytes, voter, vote } = verified
    this.#forget()
    const isOwn = voter === self
    const keep = (): void => database.saveRevocationVote({ body: bodyBytes, ...vote }, isOwn)
    if (isOwn) {
      this.#requireRoom(verified)
      keep()
    }
    const waiting = this.#count(verified)
    if (waiting === undefined) {
      if (isOwn) database.dropRevocationVotes(sha256(bodyBytes), vote.signer)
      return undefined
    }
    // Kept already, or no news.
    if (isOwn || waiting.votes.get(voter) !== vote) return waiting
    try {
      keep()
    } catch (error) {
      // It counts without the file, until a restart.
      logger.warn('a vote for a revocation could not be kept', { error: messageOf(error) })
    }
    return waiting
  }

  /** Forgets a decision that has its quorum. */
  drop({ bodyBytes }: Pick<WaitingRevocation, 'bodyBytes'>): void {
    const hash = sha256(bodyBytes)
    this.#byHash.delete(toHex(hash))
    this.#dropOnDisk(hash)
  }

  #count(verified: VerifiedRevocationVote, opener = verified.voter): Waiting | undefined {
    const { body, bodyBytes, term, voter, vote } = verified
    this.#takeBack(verified)
    if (this.#isPassed(body) || this.#saidOppositeLater(verified)) return undefined
    const hash = sha256(bodyBytes)
    const name = toHex(hash)
    let waiting = this.#byHash.get(name)
    if (waiting === undefined) {
      this.#requireRoom(verified, opener)
      waiting = { body, bodyBytes, term, hash, opener, votes: new Map() }
      this.#byHash.set(name, waiting)
    }
    if (!waiting.votes.has(voter)) waiting.votes.set(voter, vote)
    return waiting
  }

  /** Removes what the same validator said before to the contrary. */
  #takeBack({ body, voter, vote }: VerifiedRevocationVote): void {
    for (const [name, waiting] of this.#byHash) {
      if (!isOpposite(waiting.body, body) || waiting.body.decidedAt >= body.decidedAt) continue
      if (!waiting.votes.delete(voter)) continue
      this.#dropOnDisk(waiting.hash, vote.signer)
      if (waiting.votes.size === 0) this.#byHash.delete(name)
    }
  }

  #saidOppositeLater({ body, voter }: VerifiedRevocationVote): boolean {
    return this.#byHash
      .values()
      .some((other) => isOpposite(other.body, body) && other.body.decidedAt >= body.decidedAt && other.votes.has(voter))
  }

  #requireRoom({ body, bodyBytes, voter }: VerifiedRevocationVote, opener = voter): void {
    if (this.#byHash.has(toHex(sha256(bodyBytes)))) return
    const opened = [...this.#byHash.values()].filter(
      (other) => other.opener === opener && isWayBack(other.body) === isWayBack(body),
    )
    if (opened.length >= MAX_OPENED) throw tooMany(opener)
  }

  /** Whether a decision in force says all that this one says, or something later. */
  #isPassed(body: RevocationBody): boolean {
    const { revocations, clock } = this.#init
    const known = revocations.of(body.id)?.body
    return known !== undefined && (known.decidedAt >= body.decidedAt || covers(known, body, clock.now()))
  }

  #forget(): void {
    const now = this.#init.clock.now()
    for (const waiting of this.#byHash.values())
      if (Math.abs(now - waiting.body.decidedAt) > PENDING_MS || this.#isPassed(waiting.body)) this.drop(waiting)
  }

  #dropOnDisk(hash: Uint8Array, signer?: Uint8Array): void {
    try {
      this.#init.database.dropRevocationVotes(hash, signer)
    } catch (error) {
      // After a restart it is read, and found passed, again.
      this.#init.logger.warn('votes for a revocation could not be dropped', { error: messageOf(error) })
    }
  }
}

function isOpposite(one: RevocationBody, other: RevocationBody): boolean {
  return one.id === other.id && isWayBack(one) !== isWayBack(other)
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
