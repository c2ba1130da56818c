import { type Clock, WeftError, equalBytes, isWeftError, toHex } from '@weft/core'
import { type DidKey, type SigningKey, sha256 } from '@weft/crypto'
import type { Certificate, MapProposeRequest, Signature } from '@weft/wire'
import { type VerifiedCertificate, verifyCertificate } from '../admission/certificate.ts'
import type { CertificatePool } from '../admission/certificate-pool.ts'
import { certificateHash } from '../admission/certificate-body.ts'
import type { Network } from '../network/network.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import { decodeMapBody } from './map-body.ts'
import { type ProposalCase, type ProposalCheck, type ProposedCertificate, entriesOf } from './proposal-checks.ts'

export interface MapSignerInit {
  readonly network: Network
  readonly key: SigningKey
  readonly pool: CertificatePool
  readonly database: MembershipStore
  readonly checks: readonly ProposalCheck[]
  readonly clock: Clock
}

type Proposal = Pick<MapProposeRequest, 'body' | 'certificateHashes' | 'certificates'>

/** What a validator says to a proposed map: its signature, or which certificates it has to see first. */
export interface ProposalAnswer {
  readonly missing: Uint8Array[]
  readonly signature?: Omit<Signature, '$typeName'>
  /** What was signed, so that the validator need not fetch the entries. */
  readonly signed?: { readonly root: Uint8Array; readonly entries: readonly Uint8Array[] }
}

/** The one body of an epoch that is judged, and what became of it. */
interface Turn {
  readonly epoch: number
  readonly bodyHash: Uint8Array
  /** Certificates that the leader brought and the pool did not take, as it knows newer ones; by hash. */
  readonly brought: Map<string, VerifiedCertificate>
  verdict: ProposalAnswer | WeftError | undefined
}

/** Hashes named as missing in one answer: 32 bytes each, well within the answer's limit of 1 MiB. */
const MAX_MISSING = 16_384

/**
 * Signs at most one map body an epoch, and none of an epoch before the last one signed. What was signed is on disk
 * before the signature leaves, so that a crash in between cannot lead to a second one. A leader has one body for its
 * epoch, which is judged once: what it sends besides costs no more than its head.
 */
export class MapSigner {
  readonly #init: MapSignerInit
  #turn: Turn | undefined

  constructor(init: MapSignerInit) {
    this.#init = init
  }

  /** @param leader the id that the channel of the proposal proved @throws WeftError E_MAP_PROPOSAL, E_MAP_SIGNED_OTHER, E_MAP_MALFORMED, E_CERTIFICATE_… */
  consider(proposal: Proposal, leader: DidKey): ProposalAnswer {
    const { network, pool, checks, clock } = this.#init
    const body = decodeMapBody(proposal.body)
    const { certificateHashes: hashes } = proposal
    const head = { network, leader, body, hashes, brought: proposal.certificates.length, now: clock.now() }
    for (const check of checks) if (check.of === 'head') check.run(head)
    const bodyHash = sha256(proposal.body)
    this.#signedAlready(body.epoch, bodyHash)
    const turn = this.#turnOf(body.epoch, bodyHash)
    if (turn.verdict instanceof WeftError) throw turn.verdict
    if (turn.verdict !== undefined) return turn.verdict
    const { certificates, missing } = this.#resolve(hashes, proposal.certificates, turn)
    if (missing.length > 0) return { missing: missing.slice(0, MAX_MISSING) }
    const known = (id: DidKey) => pool.get(id)
    const learntEpoch = (id: DidKey) => pool.learntEpoch(id)
    try {
      const entries = entriesOf(certificates)
      turn.verdict = this.#judge({ ...head, certificates, entries, known, learntEpoch }, proposal.body)
      return turn.verdict
    } catch (error) {
      if (isWeftError(error) && !error.retryable) turn.verdict = error
      throw error
    }
  }

  #judge(proposal: ProposalCase, bodyBytes: Uint8Array): ProposalAnswer {
    const { key, checks } = this.#init
    for (const check of checks) if (check.of === 'entries') check.run(proposal)
    const { root, epoch } = proposal.body
    this.#remember(epoch, sha256(bodyBytes))
    const signature = { signer: key.publicKey, signature: key.sign('map', bodyBytes) }
    return { missing: [], signature, signed: { root, entries: proposal.entries.map(({ bytes }) => bytes) } }
  }

  /** @throws WeftError E_MAP_PROPOSAL when the leader of the epoch proposed another body before */
  #turnOf(epoch: number, bodyHash: Uint8Array): Turn {
    const turn = this.#turn
    if (turn?.epoch !== epoch) return (this.#turn = { epoch, bodyHash, brought: new Map(), verdict: undefined })
    if (equalBytes(turn.bodyHash, bodyHash)) return turn
    throw new WeftError({
      code: 'E_MAP_PROPOSAL',
      cause: `The proposed map is not signed: its leader proposed another body of epoch ${epoch} before.`,
      fix: 'The epoch is skipped and the next leader proposes; a leader has one body for its epoch.',
    })
  }

  /** Finds each certificate in the pool or in what the leader brought. */
  #resolve(
    hashes: readonly Uint8Array[],
    sent: readonly Certificate[],
    { brought }: Turn,
  ): { certificates: ProposedCertificate[]; missing: Uint8Array[] } {
    const { pool } = this.#init
    const wanted = new Set(hashes.filter((hash) => pool.byHash(hash) === undefined).map(toHex))
    const needed = new Map<string, Certificate>()
    for (const certificate of wanted.size === 0 ? [] : sent) {
      const hash = toHex(certificateHash(certificate.body))
      if (wanted.has(hash) && !brought.has(hash)) needed.set(hash, certificate)
    }
    this.#keep(needed, brought)
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
  #keep(needed: ReadonlyMap<string, Certificate>, brought: Map<string, VerifiedCertificate>): void {
    const { network, pool } = this.#init
    const good: VerifiedCertificate[] = []
    for (const [hash, certificate] of needed) {
      try {
        const verified = verifyCertificate(network, certificate)
        good.push(verified)
        brought.set(hash, verified)
      } catch {
        // Who brings one that is bad is not worth verifying more for; the check of certificates says what is wrong.
        break
      }
    }
    pool.offer(good)
  }

  #signedAlready(epoch: number, bodyHash: Uint8Array): boolean {
    const last = this.#init.database.lastSigned()
    if (last !== undefined && last.epoch === epoch && equalBytes(last.bodyHash, bodyHash)) return true
    if (last === undefined || last.epoch < epoch) return false
    throw new WeftError({
      code: 'E_MAP_SIGNED_OTHER',
      cause: `This validator signed a map of epoch ${last.epoch} already; it signs one body an epoch, and was asked for another of epoch ${epoch}.`,
      fix: 'The epoch is skipped and the next leader proposes; nothing to do.',
    })
  }

  #remember(epoch: number, bodyHash: Uint8Array): void {
    if (!this.#signedAlready(epoch, bodyHash)) this.#init.database.saveSigned(epoch, bodyHash)
  }
}
