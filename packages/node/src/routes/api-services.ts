import type { Clock, Fault, Logger } from '@weft/core'
import type { DidKey, SignedEnvelope } from '@weft/crypto'
import type { AttestationClaim, InvitationLimits, JoinToken, Network, NetworkFile, Overlay, Role } from '@weft/overlay'
import type { Archives, PersonStorage, Storage } from '@weft/storage'
import type { NodeVpn } from '../daemon/components.ts'
import type { OwnBridges } from '../daemon/open-bridges.ts'
import type { BridgeRole } from '../daemon/start-bridge.ts'
import type { VpnProfiles } from '../daemon/vpn-profiles.ts'
import type { Departure } from '../daemon/departure.ts'
import type { EventRing } from '../events/event-ring.ts'
import type { TransferLog } from '../events/transfer-log.ts'
import type { S3Door } from '../s3/s3-door.ts'
import type { Check } from '../health/node-checks.ts'
import type { LinkFiles } from '../http/link-files.ts'
import type { RequestCounters } from '../http/request-counters.ts'
import type { SessionStore } from '../http/session-store.ts'
import type { TokenStore } from '../http/token-store.ts'
import type { MainThreadWatch } from '../watch/main-thread-watch.ts'

/** What the routes need of a daemon. */
export interface ApiServices {
  readonly home: string
  readonly name: string
  /** ms since the epoch. */
  readonly startedAt: number
  readonly ids: { readonly node: DidKey; readonly person: DidKey }
  readonly network: { readonly id: string; readonly name: string; readonly simulated: boolean }
  readonly networkFile: NetworkFile
  /** Makes a token by which others join, with an invitation where the policy asks for one. */
  readonly invite: (limits: InvitationLimits) => JoinToken
  /** Whose attestations count. */
  readonly attesters: Pick<Network, 'file' | 'isAttester'>
  /** Signs what is said of the energy of a node. */
  readonly attest: (claim: AttestationClaim) => SignedEnvelope
  /** `client` included. */
  readonly roles: readonly Role[]
  /** The ports of this node, by what they serve. */
  readonly ports: Readonly<Record<string, number>>
  readonly overlay: Overlay
  readonly departure: Departure
  readonly storage: Storage
  readonly archives: Archives
  readonly buckets: Pick<PersonStorage['buckets'], 'takeOver' | 'all'>
  readonly s3: S3Door
  readonly vpn: NodeVpn
  readonly profiles: VpnProfiles
  /** By which alone this node calls; undefined where it calls by itself. */
  readonly bridges: Pick<OwnBridges, 'dialer'> | undefined
  /** What it does as a bridge, if it is one. */
  readonly bridgeRole: BridgeRole | undefined
  readonly tokens: TokenStore
  readonly sessions: SessionStore
  readonly linkFiles: LinkFiles
  readonly events: EventRing
  readonly transfers: TransferLog
  readonly counters: RequestCounters
  readonly watch: MainThreadWatch
  readonly clock: Clock
  readonly logger: Logger
  /** The checks of /readyz, done now. */
  readonly checks: () => readonly Check[]
  /** All that is not healthy now. */
  readonly faults: () => readonly Fault[]
  /** Begins to stop the daemon. */
  readonly stop: () => void
  /** Fires when the daemon begins to stop. */
  readonly stopping: AbortSignal
}
