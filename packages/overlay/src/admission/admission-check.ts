import type { Clock, Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { SignedEnvelope } from '@weft/wire'
import type { BeaconHistory } from '../beacon/beacon-history.ts'
import type { InvitationSeats } from '../invitation/invitation-seats.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Rpc } from '../rpc.ts'
import type { Application } from './application.ts'
import type { VerifiedCertificate } from './certificate.ts'
import type { DialBack } from './dial-back.ts'
import type { DialHelp } from './dial-help.ts'
import type { Gauges } from './measure/gauges.ts'
import type { ConformanceProbe } from './probe.ts'
import type { StakeVerifier } from './stake-verifier.ts'

/** What a validator knows while it judges one application. */
export interface AdmissionCase {
  readonly network: Network
  /** The id that the secure channel of the application proved. */
  readonly caller: DidKey
  /** Multiaddr from which the application came; over a relay when it names one. */
  readonly callerAddress: string
  /** Whether a node is certified as a relay that listens itself. */
  readonly isRelay: (id: DidKey) => boolean
  readonly envelope: SignedEnvelope
  /** Parsed within limits, not believed. */
  readonly application: Application
  /** 32 bytes: the validator's own public key. */
  readonly validator: Uint8Array
  /** The validator's clock when the application came, ms since the Unix epoch. */
  readonly now: number
  /** The newest certificate of the applicant that is known and has not expired. */
  readonly certificate: Pick<VerifiedCertificate, 'body'> | undefined
  /** The first beacon of a later epoch, where it is known. */
  readonly beaconAfter: BeaconHistory['after']
  /** The applicant holds a certificate. */
  readonly renewal: boolean
  readonly seats: InvitationSeats
  /** Undefined where no ledger is plugged in. */
  readonly stake: StakeVerifier | undefined
  /** What validators decided about a key. */
  readonly revocation: Revocations['of']
  readonly dialBack: DialBack
  /** Members that dial the applicant as well. */
  readonly help: Pick<DialHelp, 'look'>
  readonly probes: readonly ConformanceProbe[]
  /** Calls over the validator's own connections. */
  readonly rpc: Pick<Rpc, 'call'>
  readonly gauges: Gauges
  /** That the validator is certified for. */
  readonly region: string | undefined
  readonly clock: Clock
  readonly random: Random
}

/** One condition of admission. Each stands alone: a test takes each away in turn and shows that it was needed. */
export interface AdmissionCheck {
  readonly name: string
  /** @throws WeftError with the values that do not fit and what the applicant can do about it. */
  run(admission: AdmissionCase, signal: AbortSignal): Promise<void> | void
}
