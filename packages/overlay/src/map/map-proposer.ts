import { type Clock, type Logger, messageOf, toHex, wait } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import type { Certificate } from '@weft/wire'
import type { Absences } from '../absence/absences.ts'
import { toWireCertificate } from '../admission/certificate.ts'
import type { CertificatePool } from '../admission/certificate-pool.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import { type MapBody, encodeMapBody } from './map-body.ts'
import { mapRoot } from './map-entries.ts'
import type { MapJudge } from './map-judge.ts'
import { CERTIFICATES_AT_ONCE } from './proposal-checks.ts'

export interface MapProposerInit {
  readonly network: Network
  readonly key: SigningKey
  readonly pool: CertificatePool
  readonly absences: Pick<Absences, 'isAbsent'>
  readonly judge: Pick<MapJudge, 'consider'>
  /** What the map of an epoch says of beacons; the same whenever it is asked. */
  readonly beacons: (epoch: number) => Pick<MapBody, 'beacon' | 'inputs'>
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly logger: Logger
}

interface Proposal {
  readonly epoch: number
  readonly body: Uint8Array
  readonly hashes: Uint8Array[]
  readonly byHash: ReadonlyMap<string, Certificate>
}

/** ms between tries to bring a validator what it lacks, at most. */
const LONGEST_PAUSE = 1_000
/** Parts of an epoch. */
const PAUSE = 1 / 20

/** Makes the map body that this validator proposes: one an epoch, in whatever rounds it proposes. */
export class MapProposer {
  readonly #init: MapProposerInit
  #proposal: Proposal | undefined

  constructor(init: MapProposerInit) {
    this.#init = init
  }

  /** Whether any certificate is known, and all that are on the disk are: a map must lack nobody because of a restart. */
  isReady(): boolean {
    const { pool } = this.#init
    return pool.isWhole && pool.size > 0
  }

  /** The map body of all whose certificates are valid now and who are there; undefined before it is ready. */
  propose(epoch: number): Uint8Array | undefined {
    if (!this.isReady()) return undefined
    if (this.#proposal?.epoch !== epoch) this.#proposal = this.#make(epoch)
    return this.#proposal?.body
  }

  /**
   * Brings every other validator the certificates of the proposal that it lacks. Ends with the signal, or once nobody
   * needs it any more.
   */
  async bring(epoch: number, isSettled: () => boolean, signal: AbortSignal): Promise<void> {
    const proposal = this.#proposal
    if (proposal?.epoch !== epoch) return
    const { network, key, clock, logger } = this.#init
    const pause = Math.min(LONGEST_PAUSE, network.file.mapEpochMs * PAUSE)
    const others = network
      .termAt(epoch)
      .validators.map(({ id }) => id)
      .filter((id) => id !== key.id)
    await Promise.all(
      others.map(async (validator) => {
        while (!signal.aborted && !isSettled()) {
          try {
            if (await this.#bringTo(validator, proposal, signal)) return
          } catch (error) {
            if (!signal.aborted)
              logger.debug('the proposal is not with this validator yet', {
                validator: shortId(validator),
                error: messageOf(error),
              })
          }
          await wait(clock, pause, signal).catch(() => {})
        }
      }),
    )
  }

  #make(epoch: number): Proposal | undefined {
    const { network, pool, absences, beacons, clock } = this.#init
    const signedAt = clock.now()
    pool.prune(signedAt)
    const certificates = pool.valid(signedAt).filter(({ body: { id } }) => !absences.isAbsent(id))
    if (certificates.length === 0) return undefined
    const root = mapRoot(certificates.map(({ bodyBytes }) => bodyBytes))
    const placed = certificates.filter(({ body: { position } }) => position !== undefined).length
    const { beacon, inputs } = beacons(epoch)
    const { length: count } = certificates
    const body = encodeMapBody({ network: network.id, epoch, root, count, signedAt, placed, beacon, inputs })
    const hashes = certificates.map(({ hash }) => hash)
    const byHash = new Map(certificates.map((certificate) => [toHex(certificate.hash), toWireCertificate(certificate)]))
    return { epoch, body, hashes, byHash }
  }

  /** Has the own body judged, so that its entries are remembered like those of any other. */
  considerOwn(epoch: number): void {
    const proposal = this.#proposal
    if (proposal?.epoch !== epoch) return
    const { judge, key } = this.#init
    judge.consider({ body: proposal.body, certificateHashes: proposal.hashes, certificates: [] }, key.id)
  }

  /** True once the validator has judged the proposal; false when it neither does nor says what it lacks. */
  async #bringTo(validator: DidKey, { body, hashes, byHash }: Proposal, signal: AbortSignal): Promise<boolean> {
    let certificates: Certificate[] = []
    let lacking = Number.POSITIVE_INFINITY
    for (;;) {
      const request = { body, certificateHashes: hashes, certificates }
      const { missing } = await this.#init.rpc.call(validator, 'map.propose', request, { signal })
      if (missing.length === 0) return true
      if (missing.length >= lacking) return false
      lacking = missing.length
      certificates = missing.slice(0, CERTIFICATES_AT_ONCE).flatMap((hash) => byHash.get(toHex(hash)) ?? [])
    }
  }
}
