import { type Clock, type Logger, type Random, WeftError, messageOf, toHex } from '@weft/core'
import { type DidKey, type SigningKey, shortId, toDidKey } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import { toWireCertificate } from '../admission/certificate.ts'
import { CertificatePool } from '../admission/certificate-pool.ts'
import { ADMISSION_CHECKS } from '../admission/admission-checks.ts'
import { AdmissionDesk } from '../admission/admission-desk.ts'
import type { ConformanceProbe, Prober } from '../admission/probe.ts'
import { PROTOCOL_PROBES } from '../admission/protocol-probes.ts'
import type { StakeVerifier } from '../admission/stake-verifier.ts'
import { InvitationSeats } from '../invitation/invitation-seats.ts'
import { MAX_CERTIFICATES_ASKED } from '../map/certificate-reader.ts'
import { type LedMap, MapLeader } from '../map/map-leader.ts'
import { MapSigner } from '../map/map-signer.ts'
import { PROPOSAL_CHECKS, leaderOf } from '../map/proposal-checks.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import type { MembershipDatabase } from '../state/membership-database.ts'

export interface ValidatorOfficeInit {
  readonly network: Network
  readonly key: SigningKey
  readonly rpc: Rpc
  readonly prober: Prober
  readonly probes: readonly ConformanceProbe[]
  readonly stake?: StakeVerifier | undefined
  readonly database: MembershipDatabase
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Takes a map that another validator published. */
  readonly onMap: (map: SignedMap, from: DidKey) => Promise<void>
}

/** Roots whose entries are remembered: the one that was signed last and the one before. */
const REMEMBERED_ROOTS = 2

/** Everything that a validator does beside being a member: judges, keeps certificates, signs and leads. */
export class ValidatorOffice {
  readonly pool: CertificatePool
  readonly #init: ValidatorOfficeInit
  readonly #leader: MapLeader
  readonly #entries = new Map<string, readonly Uint8Array[]>()

  constructor(init: ValidatorOfficeInit) {
    const { network, key, rpc, prober, probes, stake, database, clock, random, logger } = init
    this.#init = init
    this.pool = new CertificatePool(network, database, clock)
    const desk = new AdmissionDesk({
      network,
      key,
      prober,
      isMember: (id) => this.pool.isCertified(id),
      seats: new InvitationSeats(database, clock),
      stake,
      checks: ADMISSION_CHECKS,
      probes: [...PROTOCOL_PROBES, ...probes],
      clock,
      random,
      logger,
    })
    const signer = new MapSigner({ network, key, pool: this.pool, database, checks: PROPOSAL_CHECKS, clock })
    this.#leader = new MapLeader({ network, key, pool: this.pool, signer, rpc, clock })
    this.#serve(desk, signer)
  }

  /** Entries of a map that this validator signed or led. */
  ownEntries(root: Uint8Array): readonly Uint8Array[] | undefined {
    return this.#entries.get(toHex(root))
  }

  isLeader(epoch: number): boolean {
    return leaderOf(this.#init.network, epoch) === this.#init.key.id
  }

  /** Makes the map of `epoch`; undefined when there is nothing to map yet. @throws WeftError E_MAP_NO_QUORUM, E_MAP_SIGNED_OTHER */
  lead(epoch: number, signal: AbortSignal): Promise<LedMap | undefined> {
    return this.#leader.lead(epoch, signal)
  }

  /** Sends a map to every other validator; those that do not get it pull it later. */
  async publish(map: SignedMap, signal: AbortSignal): Promise<void> {
    const { network, key, rpc, logger } = this.#init
    await Promise.all(
      network.validators.map(async ({ id }) => {
        if (id === key.id) return
        await rpc.call(id, 'map.publish', { map }, { signal }).catch((error: unknown) => {
          if (!signal.aborted) logger.debug('map not published', { validator: shortId(id), error: messageOf(error) })
        })
      }),
    )
  }

  #serve(desk: AdmissionDesk, signer: MapSigner): void {
    const { rpc, onMap } = this.#init
    rpc.handle('admission.apply', async (request, caller, signal) => ({
      vote: await desk.judge(request, caller, signal),
    }))
    rpc.handle('admission.submit', async ({ certificate }) => {
      if (certificate === undefined) throw new WeftError(NO_CERTIFICATE)
      this.pool.submit(certificate)
      return {}
    })
    rpc.handle('map.propose', async (proposal, caller) => {
      const { missing, signature, signed } = signer.consider(proposal, caller.id)
      if (signature === undefined) return { missing }
      if (signed !== undefined) this.#remember(signed.root, signed.entries)
      return { signature }
    })
    rpc.handle('map.publish', async ({ map }, caller) => {
      if (map !== undefined) await onMap(map, caller.id)
      return {}
    })
    rpc.handle('map.certificates', async ({ members }) => {
      const asked = members.slice(0, MAX_CERTIFICATES_ASKED).filter(({ length }) => length === 32)
      return { certificates: asked.flatMap((key) => this.#certificateOf(key)) }
    })
  }

  #certificateOf(key: Uint8Array): ReturnType<typeof toWireCertificate>[] {
    const known = this.pool.get(toDidKey(key))
    return known === undefined ? [] : [toWireCertificate(known)]
  }

  #remember(root: Uint8Array, entries: readonly Uint8Array[]): void {
    this.#entries.set(toHex(root), entries)
    const oldest = this.#entries.keys().next().value
    if (this.#entries.size > REMEMBERED_ROOTS && oldest !== undefined) this.#entries.delete(oldest)
  }
}

const NO_CERTIFICATE = {
  code: 'E_CERTIFICATE_MALFORMED',
  cause: 'The request carries no certificate.',
  fix: 'The sender has to follow docs/specs/admission.md; update the older of the two sides.',
}
