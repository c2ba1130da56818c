import { type Clock, WeftError, messageOf, throwIfAborted, toHex } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import { type Certificate, type Signature, type SignedMap, SignedMapSchema, create } from '@weft/wire'
import { toWireCertificate, validVotes } from '../admission/certificate.ts'
import type { CertificatePool } from '../admission/certificate-pool.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import { encodeMapBody } from './map-body.ts'
import { mapRoot } from './map-entries.ts'
import type { MapSigner } from './map-signer.ts'
import { CERTIFICATES_AT_ONCE } from './proposal-checks.ts'

export interface MapLeaderInit {
  readonly network: Network
  readonly key: SigningKey
  readonly pool: CertificatePool
  readonly signer: MapSigner
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
}

/** A proposal that a quorum signed, with its entries. */
export interface LedMap {
  readonly map: SignedMap
  readonly entries: readonly Uint8Array[]
}

type Vote = Omit<Signature, '$typeName'>

interface Proposal {
  readonly epoch: number
  readonly body: Uint8Array
  readonly entries: readonly Uint8Array[]
  readonly hashes: Uint8Array[]
  readonly byHash: ReadonlyMap<string, Certificate>
  readonly own: Vote
}

/** Makes the map of the epochs that are this validator's turn. One proposal an epoch, however often it is sent. */
export class MapLeader {
  readonly #init: MapLeaderInit
  #proposal: Proposal | undefined

  constructor(init: MapLeaderInit) {
    this.#init = init
  }

  /**
   * Collects signatures for the map of `epoch`. Undefined while no certificate is known at all.
   * @throws WeftError E_MAP_NO_QUORUM (call again while the epoch lasts: the same body is proposed), E_ABORTED
   */
  async lead(epoch: number, signal: AbortSignal): Promise<LedMap | undefined> {
    const { network, key } = this.#init
    if (this.#proposal?.epoch !== epoch) this.#proposal = this.#propose(epoch)
    const proposal = this.#proposal
    if (proposal === undefined) return undefined
    const signatures: Vote[] = [proposal.own]
    const faults: string[] = []
    const others = network.validators.map(({ id }) => id).filter((id) => id !== key.id)
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    if (signatures.length >= network.quorum) resolve()
    const all = Promise.all(
      others.map(async (validator) => {
        try {
          signatures.push(await this.#ask(validator, proposal, signal))
          if (signatures.length >= network.quorum) resolve()
        } catch (error) {
          faults.push(`${shortId(validator)}: ${messageOf(error)}`)
        }
      }),
    )
    await Promise.race([enough, all])
    throwIfAborted(signal)
    if (signatures.length < network.quorum) throw noQuorum(epoch, signatures.length, network.quorum, faults)
    // A copy: late signatures still arrive and must not change what was published.
    return {
      map: create(SignedMapSchema, { body: proposal.body, signatures: [...signatures] }),
      entries: proposal.entries,
    }
  }

  #propose(epoch: number): Proposal | undefined {
    const { network, pool, signer, key, clock } = this.#init
    const signedAt = clock.now()
    pool.prune(signedAt)
    const certificates = pool.valid(signedAt)
    if (certificates.length === 0) return undefined
    const entries = certificates.map(({ bodyBytes }) => bodyBytes)
    const body = encodeMapBody({ network: network.id, epoch, root: mapRoot(entries), count: entries.length, signedAt })
    const hashes = certificates.map(({ hash }) => hash)
    const { signature } = signer.consider({ body, certificateHashes: hashes, certificates: [] }, key.id)
    if (signature === undefined) return undefined
    const byHash = new Map(certificates.map((certificate) => [toHex(certificate.hash), toWireCertificate(certificate)]))
    return { epoch, body, entries, hashes, byHash, own: signature }
  }

  /** Proposes to one validator, sending the certificates that it lacks, until it signs or refuses. */
  async #ask(validator: DidKey, { body, hashes, byHash }: Proposal, signal: AbortSignal): Promise<Vote> {
    const { network, rpc } = this.#init
    let certificates: Certificate[] = []
    let lacking = Number.POSITIVE_INFINITY
    for (;;) {
      const request = { body, certificateHashes: hashes, certificates }
      const { missing, signature } = await rpc.call(validator, 'map.propose', request, { signal })
      if (signature !== undefined) {
        if (validVotes(network, 'map', body, [signature]).length === 1) return signature
        throw new WeftError({
          code: 'E_SIGNATURE_INVALID',
          cause: 'its signature is not valid.',
          fix: 'Look at its log.',
        })
      }
      if (missing.length === 0 || missing.length >= lacking) {
        throw new WeftError({
          code: 'E_MAP_PROPOSAL',
          cause: 'it neither signs nor says what it lacks.',
          fix: 'Look at its log.',
        })
      }
      lacking = missing.length
      certificates = missing.slice(0, CERTIFICATES_AT_ONCE).flatMap((hash) => byHash.get(toHex(hash)) ?? [])
    }
  }
}

function noQuorum(epoch: number, votes: number, quorum: number, faults: readonly string[]): WeftError {
  return new WeftError({
    code: 'E_MAP_NO_QUORUM',
    cause: `The map of epoch ${epoch} got ${votes} of ${quorum} signatures. ${faults.join(' ')}`,
    fix: 'The next leader tries in the next epoch; if it goes on, start the validators that are down.',
    retryable: true,
  })
}
