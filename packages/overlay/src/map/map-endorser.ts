import { type Clock, WeftError, equalBytes, toHex } from '@weft/core'
import { type SigningKey, sha256 } from '@weft/crypto'
import { type Signature, SignatureSchema, type SignedMap, SignedMapSchema, create } from '@weft/wire'
import { validVotes } from '../admission/certificate.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import { decodeMapBody } from './map-body.ts'

export interface MapEndorserInit {
  readonly network: Network
  readonly key: SigningKey
  readonly database: Pick<MembershipStore, 'lastSigned' | 'saveSigned'>
  readonly clock: Clock
}

/** A validator's signature over a map body that was agreed on. */
export interface Endorsement {
  readonly body: Uint8Array
  readonly signature: Omit<Signature, '$typeName'>
}

/** Bodies and signatures of one epoch, by the hex of the signer. */
interface EpochVotes {
  readonly bySigner: Map<string, Endorsement>
  map: SignedMap | undefined
}

/**
 * Signs the map body of an epoch that was agreed on, and puts a signed map together from the signatures of a quorum. It
 * signs one body an epoch, and none of an epoch before the last one signed; that is on disk before the signature leaves.
 */
export class MapEndorser {
  readonly #init: MapEndorserInit
  readonly #votes = new Map<number, EpochVotes>()

  constructor(init: MapEndorserInit) {
    this.#init = init
  }

  /** @throws WeftError E_MAP_SIGNED_OTHER, E_MAP_MALFORMED */
  endorse(body: Uint8Array): Endorsement {
    const { key, database } = this.#init
    const { epoch } = decodeMapBody(body)
    const hash = sha256(body)
    const last = database.lastSigned()
    if (last === undefined || last.epoch < epoch) database.saveSigned(epoch, hash)
    else if (last.epoch !== epoch || !equalBytes(last.bodyHash, hash)) throw signedOther(last.epoch, epoch)
    return { body, signature: { signer: key.publicKey, signature: key.sign('map', body) } }
  }

  /**
   * Takes the endorsement of any validator: the first of each of an epoch that goes on, or went on just before.
   * @returns the map, once, when a quorum endorsed it
   * @throws WeftError E_MAP_MALFORMED, E_SIGNATURE_INVALID, E_AGREEMENT_EPOCH
   */
  take({ body, signature }: Endorsement): SignedMap | undefined {
    const { network } = this.#init
    const { epoch } = decodeMapBody(body)
    this.#requireNow(epoch)
    const votes = this.#votesOf(epoch)
    const term = network.termAt(epoch)
    const signer = toHex(signature.signer)
    if (votes.map !== undefined || votes.bySigner.has(signer)) return undefined
    if (validVotes(term, 'map', body, [create(SignatureSchema, signature)]).length !== 1) throw invalid()
    votes.bySigner.set(signer, { body, signature })
    const same = [...votes.bySigner.values()].filter((other) => equalBytes(other.body, body))
    if (same.length < term.quorum) return undefined
    votes.map = create(SignedMapSchema, { body, signatures: same.map((other) => other.signature) })
    return votes.map
  }

  #votesOf(epoch: number): EpochVotes {
    let votes = this.#votes.get(epoch)
    if (votes === undefined) {
      for (const old of this.#votes.keys()) if (old < epoch - 2) this.#votes.delete(old)
      this.#votes.set(epoch, (votes = { bySigner: new Map(), map: undefined }))
    }
    return votes
  }

  /** What is not remembered for long need not be kept at all. */
  #requireNow(epoch: number): void {
    const { network, clock } = this.#init
    const now = epochAt(network.file, clock.now())
    if (Math.abs(epoch - now) <= 1) return
    throw new WeftError({
      code: 'E_AGREEMENT_EPOCH',
      cause: `An endorsement is of a map of epoch ${epoch}; here it is epoch ${now}.`,
      fix: 'Nothing to do for one that came late; if it goes on, compare the clocks of the validators.',
    })
  }
}

function signedOther(last: number, asked: number): WeftError {
  return new WeftError({
    code: 'E_MAP_SIGNED_OTHER',
    cause: `This validator signed a map of epoch ${last} already and signs one body an epoch; another of epoch ${asked} was agreed on.`,
    fix: 'Nothing to do if its clock was set back; else look for a second process with the key of this validator.',
  })
}

function invalid(): WeftError {
  return new WeftError({
    code: 'E_SIGNATURE_INVALID',
    cause: 'The signature of an endorsement is not that of a validator over this map.',
    fix: 'Look at the log of the validator that sent it.',
  })
}
