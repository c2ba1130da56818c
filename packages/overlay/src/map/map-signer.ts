import { type Clock, WeftError, equalBytes, toHex } from '@weft/core'
import { type DidKey, type SigningKey, sha256 } from '@weft/crypto'
import type { Certificate, MapProposeRequest, Signature } from '@weft/wire'
import { verifyCertificate } from '../admission/certificate.ts'
import type { CertificatePool } from '../admission/certificate-pool.ts'
import { certificateHash } from '../admission/certificate-body.ts'
import type { Network } from '../network/network.ts'
import type { MembershipDatabase } from '../state/membership-database.ts'
import { MAX_MEMBERS, decodeMapBody } from './map-body.ts'
import { type ProposalCheck, type ProposedCertificate, entriesOf } from './proposal-checks.ts'

export interface MapSignerInit {
  readonly network: Network
  readonly key: SigningKey
  readonly pool: CertificatePool
  readonly database: MembershipDatabase
  readonly checks: readonly ProposalCheck[]
  readonly clock: Clock
}

type Proposal = Pick<MapProposeRequest, 'body' | 'certificateHashes' | 'certificates'>

/** What a validator says to a proposed map: its signature, or which certificates it has to see first. */
export interface ProposalAnswer {
  readonly missing: Uint8Array[]
  readonly signature?: Omit<Signature, '$typeName'>
  /** The entries that were signed, so that the validator need not fetch them. */
  readonly entries: readonly Uint8Array[]
}

/** Hashes named as missing in one answer: 32 bytes each, well within the answer's limit of 1 MiB. */
const MAX_MISSING = 16_384

/**
 * Signs at most one map body an epoch, and none of an epoch before the last one signed. What was signed is on disk
 * before the signature leaves, so that a crash in between cannot lead to a second one.
 */
export class MapSigner {
  readonly #init: MapSignerInit

  constructor(init: MapSignerInit) {
    this.#init = init
  }

  /** @param leader the id that the channel of the proposal proved @throws WeftError E_MAP_PROPOSAL, E_MAP_SIGNED_OTHER, E_MAP_MALFORMED, E_CERTIFICATE_… */
  consider(proposal: Proposal, leader: DidKey): ProposalAnswer {
    const { network, key, pool, checks, clock } = this.#init
    const body = decodeMapBody(proposal.body)
    if (proposal.certificateHashes.length > MAX_MEMBERS) throw new WeftError(TOO_MANY)
    const { certificates, missing } = this.#resolve(proposal.certificateHashes, proposal.certificates)
    if (missing.length > 0) return { missing: missing.slice(0, MAX_MISSING), entries: [] }
    const entries = entriesOf(certificates)
    const known = (id: DidKey) => pool.get(id)
    for (const check of checks) check.run({ network, leader, body, certificates, entries, known, now: clock.now() })
    this.#remember(body.epoch, sha256(proposal.body))
    const signature = { signer: key.publicKey, signature: key.sign('map', proposal.body) }
    return { missing: [], signature, entries: entries.map(({ bytes }) => bytes) }
  }

  /** Finds each certificate in the pool or in the message. What the message brings, and is good, is kept. */
  #resolve(
    hashes: readonly Uint8Array[],
    sent: readonly Certificate[],
  ): { certificates: ProposedCertificate[]; missing: Uint8Array[] } {
    const { pool } = this.#init
    const byHash = new Map<string, Certificate>()
    for (const certificate of sent) byHash.set(toHex(certificateHash(certificate.body)), certificate)
    const certificates: ProposedCertificate[] = []
    const missing: Uint8Array[] = []
    for (const hash of hashes) {
      const found = pool.byHash(hash) ?? byHash.get(toHex(hash))
      if (found === undefined) missing.push(hash)
      else certificates.push(found)
    }
    this.#keep(sent)
    return { certificates, missing }
  }

  /** What a message brought need not be sent again with the rest of the set, nor in the next epoch. */
  #keep(sent: readonly Certificate[]): void {
    const { network, pool } = this.#init
    const good = sent.flatMap((certificate) => {
      try {
        return verifyCertificate(network, certificate)
      } catch {
        // Not kept; if the proposal needs it, the check of certificates says what is wrong with it.
        return []
      }
    })
    pool.offer(good)
  }

  #remember(epoch: number, bodyHash: Uint8Array): void {
    const last = this.#init.database.lastSigned()
    if (last !== undefined && last.epoch === epoch && equalBytes(last.bodyHash, bodyHash)) return
    if (last !== undefined && last.epoch >= epoch) {
      throw new WeftError({
        code: 'E_MAP_SIGNED_OTHER',
        cause: `This validator signed a map of epoch ${last.epoch} already; it signs one body an epoch, and was asked for another of epoch ${epoch}.`,
        fix: 'The epoch is skipped and the next leader proposes; nothing to do.',
      })
    }
    this.#init.database.saveSigned(epoch, bodyHash)
  }
}

const TOO_MANY = {
  code: 'E_MAP_PROPOSAL',
  cause: `The proposed map has more than ${MAX_MEMBERS} entries.`,
  fix: 'The network is larger than this version can carry.',
}
