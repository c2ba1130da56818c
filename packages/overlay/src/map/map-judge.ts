import { type Clock, WeftError, equalBytes, isWeftError, toHex } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import type { Certificate, MapProposeRequest } from '@weft/wire'
import type { Absences } from '../absence/absences.ts'
import { type VerifiedCertificate, verifyCertificate } from '../admission/certificate.ts'
import type { CertificatePool } from '../admission/certificate-pool.ts'
import { type CertificateBody, certificateHash } from '../admission/certificate-body.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { type Sliced, atOnce, inSlices } from './in-slices.ts'
import { decodeMapBody } from './map-body.ts'
import { type ProposalCheck, type ProposedCertificate, entriesOf } from './proposal-checks.ts'

export interface MapJudgeInit {
  readonly network: Network
  readonly pool: CertificatePool
  readonly absences: Pick<Absences, 'isDoubted'>
  readonly revocations: Pick<Revocations, 'voids'>
  readonly checks: readonly ProposalCheck[]
  /** Rounds of an epoch whose proposers are heard now. */
  readonly rounds: (epoch: number) => readonly number[]
  readonly clock: Clock
}

type Proposal = Pick<MapProposeRequest, 'body' | 'certificateHashes' | 'certificates'>

/** The one body that a validator proposes in an epoch, and what became of it. */
interface Turn {
  readonly epoch: number
  readonly bodyHash: Uint8Array
  /** Certificates that it brought and the pool did not take, as it knows newer ones; by hash. */
  readonly brought: Map<string, VerifiedCertificate>
  verdict: 'good' | WeftError | undefined
}

/** Hashes named as missing in one answer: 32 bytes each, well within the answer's limit of 1 MiB. */
const MAX_MISSING = 16_384
/** Roots whose entries are remembered: those of a few proposals of an epoch, and of the epoch before. */
const REMEMBERED_ROOTS = 4

/**
 * Judges the map bodies that are proposed: with each come the certificates that the validator lacks. A validator has one
 * body for an epoch, in whatever rounds it proposes, and it is judged once: what is sent besides costs no more than its
 * head.
 */
export class MapJudge {
  readonly #init: MapJudgeInit
  /** By epoch and proposer. */
  readonly #turns = new Map<string, Turn>()
  readonly #entries = new Map<string, readonly Uint8Array[]>()

  constructor(init: MapJudgeInit) {
    this.#init = init
  }

  /** Entries of a body that was found good, by its root. */
  entries(root: Uint8Array): readonly Uint8Array[] | undefined {
    return this.#entries.get(toHex(root))
  }

  /** What was found of a body: undefined while certificates are lacking. */
  verdict(bodyBytes: Uint8Array): boolean | undefined {
    const hash = sha256(bodyBytes)
    const turns = [...this.#turns.values()].filter(({ bodyHash }) => equalBytes(bodyHash, hash))
    if (turns.some(({ verdict }) => verdict === 'good')) return true
    return turns.some(({ verdict }) => verdict !== undefined) ? false : undefined
  }

  /**
   * @param leader the id that the channel of the proposal proved
   * @returns hashes of certificates that are lacking; none once the body was found good
   * @throws WeftError E_VALIDATOR_STARTING, E_MAP_PROPOSAL, E_MAP_MALFORMED, E_CERTIFICATE_…
   */
  consider(proposal: Proposal, leader: DidKey): Uint8Array[] {
    return atOnce(this.#considering(proposal, leader))
  }

  /** As `consider`; between the certificates that it verifies others have the thread. @throws WeftError as `consider`, E_ABORTED */
  async considerInSlices(proposal: Proposal, leader: DidKey, signal: AbortSignal): Promise<Uint8Array[]> {
    return inSlices(this.#considering(proposal, leader), signal, this.#init.clock)
  }

  *#considering(proposal: Proposal, leader: DidKey): Sliced<Uint8Array[]> {
    const { network, pool, absences, revocations, checks, rounds, clock } = this.#init
    const body = decodeMapBody(proposal.body)
    const { certificateHashes: hashes } = proposal
    const brought = proposal.certificates.length
    const head = { network, leader, rounds: rounds(body.epoch), body, hashes, brought, now: clock.now() }
    for (const check of checks) if (check.of === 'head') check.run(head)
    const turn = this.#turnOf(body.epoch, leader, sha256(proposal.body))
    if (isGood(turn)) return []
    if (!pool.isWhole) throw starting()
    const needed = this.#neededOf(proposal, turn)
    yield* this.#keep(needed, turn)
    // Another message of the same body may have been judged meanwhile.
    if (isGood(turn)) return []
    const { certificates, missing } = this.#resolve(hashes, needed, turn)
    if (missing.length > 0) return missing.slice(0, MAX_MISSING)
    const known = (id: DidKey) => pool.get(id)
    const learntEpoch = (id: DidKey) => pool.learntEpoch(id)
    const valid = () => pool.valid(body.signedAt)
    const isDoubted = (id: DidKey) => absences.isDoubted(id)
    const isRevoked = (certificate: CertificateBody) => revocations.voids(certificate)
    try {
      const entries = entriesOf(certificates)
      const whole = { ...head, certificates, entries, known, isRevoked, learntEpoch, valid, isDoubted }
      for (const check of checks) if (check.of === 'entries') check.run(whole)
      turn.verdict = 'good'
      this.#remember(
        body.root,
        entries.map(({ bytes }) => bytes),
      )
    } catch (error) {
      if (isWeftError(error) && !error.retryable) turn.verdict = error
      throw error
    } finally {
      if (turn.verdict !== undefined) turn.brought.clear()
    }
    return []
  }

  /** @throws WeftError E_MAP_PROPOSAL when this proposer had another body in the epoch before */
  #turnOf(epoch: number, leader: DidKey, bodyHash: Uint8Array): Turn {
    const key = `${epoch} ${leader}`
    const turn = this.#turns.get(key)
    if (turn === undefined) {
      for (const [old, { epoch: of }] of this.#turns) if (of < epoch - 1) this.#turns.delete(old)
      const fresh: Turn = { epoch, bodyHash, brought: new Map(), verdict: undefined }
      this.#turns.set(key, fresh)
      return fresh
    }
    if (equalBytes(turn.bodyHash, bodyHash)) return turn
    throw new WeftError({
      code: 'E_MAP_PROPOSAL',
      cause: `The proposed map is not taken: its proposer had another body of epoch ${epoch} before.`,
      fix: 'Another validator proposes in the next round; a validator has one body for an epoch.',
    })
  }

  #remember(root: Uint8Array, entries: readonly Uint8Array[]): void {
    this.#entries.set(toHex(root), entries)
    const oldest = this.#entries.keys().next().value
    if (this.#entries.size > REMEMBERED_ROOTS && oldest !== undefined) this.#entries.delete(oldest)
  }

  /** What a message brings that is listed and not known, by hash; in the order of the list, as checks look at it. */
  #neededOf({ certificateHashes: hashes, certificates: sent }: Proposal, { brought }: Turn): Map<string, Certificate> {
    const { pool } = this.#init
    const needed = new Map<string, Certificate>()
    if (sent.length === 0) return needed
    const wanted = new Set(hashes.filter((hash) => pool.byHash(hash) === undefined).map(toHex))
    if (wanted.size === 0) return needed
    const byHash = new Map(sent.map((certificate) => [toHex(certificateHash(certificate.body)), certificate]))
    for (const hash of wanted) {
      const certificate = byHash.get(hash)
      if (certificate !== undefined && !brought.has(hash)) needed.set(hash, certificate)
    }
    return needed
  }

  /** Finds each certificate in the pool or in what the leader brought. */
  #resolve(
    hashes: readonly Uint8Array[],
    needed: ReadonlyMap<string, Certificate>,
    { brought }: Turn,
  ): { certificates: ProposedCertificate[]; missing: Uint8Array[] } {
    const { pool } = this.#init
    const certificates: ProposedCertificate[] = []
    const missing: Uint8Array[] = []
    for (const hash of hashes) {
      const found = pool.byHash(hash) ?? brought.get(toHex(hash)) ?? needed.get(toHex(hash))
      if (found === undefined) missing.push(hash)
      else certificates.push(found)
    }
    return { certificates, missing }
  }

  /** What a message brought need not be sent again with the rest of the set, nor, if the pool takes it, in the next epoch. */
  *#keep(needed: ReadonlyMap<string, Certificate>, turn: Turn): Sliced<void> {
    const { network, pool } = this.#init
    const good: VerifiedCertificate[] = []
    let isFirst = true
    try {
      for (const [hash, certificate] of needed) {
        if (!isFirst) yield
        isFirst = false
        // Another message of the same body may have brought it meanwhile, or that was judged.
        if (turn.verdict !== undefined) return
        if (turn.brought.has(hash)) continue
        const verified = verifyCertificate(network, certificate)
        good.push(verified)
        turn.brought.set(hash, verified)
      }
    } catch {
      // Who brings one that is bad is not worth verifying more for; the check of certificates says what is wrong.
    } finally {
      pool.offer(good)
    }
  }
}

/** Whether a body was found good. @throws why it was not */
function isGood({ verdict }: Turn): boolean {
  if (verdict instanceof WeftError) throw verdict
  return verdict === 'good'
}

/** It would ask for certificates that it has on its disk. */
function starting(): WeftError {
  return new WeftError({
    code: 'E_VALIDATOR_STARTING',
    cause: 'This validator still reads the certificates on its disk; until then it judges no maps.',
    fix: 'Nothing to do: the proposal comes again.',
    retryable: true,
  })
}
