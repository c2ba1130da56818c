import type { MessagePort } from 'node:worker_threads'
import type { Fault } from '@weft/core'
import type { DidKey, X25519KeyPair } from '@weft/crypto'
import type { EngineInit, MachineWays } from '../engine/engine-init.ts'
import type { LoadStep, LossCount } from '@weft/overlay'
import type { ProbeTarget } from '../engine/probe-target.ts'
import type { ServiceRequest } from '../engine/service-routes.ts'
import type { RouteProfile } from '../profile/route-profile.ts'
import type { GuardState } from '../route/guard-state.ts'
import type { MemberAddresses } from '../route/member-addresses.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import type { ReceiptAnswer } from '@weft/onion'
import type { NumberedPayment } from '../receipts/packet-till.ts'
import type { IssuerKey } from '../receipts/receipt-issuer.ts'
import type { OwnToken } from '../receipts/spend.ts'
import type { ChoiceQuestion, RouteChoices, RouteVerification, Throughput, VpnEvents, ThreadStatus } from '../vpn.ts'

/** What the main thread asks of the packet thread; `id` is answered by a `reply`. */
export type PacketCommand =
  | { readonly type: 'open'; readonly id: number; readonly init: EngineInit }
  | { readonly type: 'worker'; readonly index: number; readonly port: MessagePort }
  | { readonly type: 'members'; readonly members: readonly RouteMember[] }
  | { readonly type: 'unreachable'; readonly ids: ReadonlySet<DidKey> }
  | { readonly type: 'setLoads'; readonly loads: ReadonlyMap<DidKey, LoadStep> }
  | { readonly type: 'outside'; readonly addresses: readonly OutsideAddress[] }
  | { readonly type: 'setProfile'; readonly profile: RouteProfile }
  | {
      readonly type: 'up'
      readonly id: number
      readonly tun: boolean | undefined
      readonly ways: MachineWays | undefined
    }
  | { readonly type: 'down' | 'status' | 'verify' | 'close'; readonly id: number }
  | { readonly type: 'choices'; readonly id: number; readonly question: ChoiceQuestion }
  | { readonly type: 'addresses'; readonly members: readonly MemberAddresses[] }
  | { readonly type: 'onionKeys'; readonly keys: readonly X25519KeyPair[] }
  | { readonly type: 'receiptKeys'; readonly keys: readonly IssuerKey[] }
  | { readonly type: 'kept'; readonly number: number; readonly answer: ReceiptAnswer }
  | { readonly type: 'tokens'; readonly tokens: readonly OwnToken[] }
  | { readonly type: 'routesReady'; readonly id: number; readonly routes: number }
  | { readonly type: 'service'; readonly id: number; readonly request: ServiceRequest }
  | { readonly type: 'endRoutes'; readonly routes: number }
  | { readonly type: 'probe' | 'loss'; readonly id: number; readonly target: ProbeTarget }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Why a command failed; of a port that is taken `details` say which. */
interface CommandFault extends Fault {
  readonly details?: Readonly<Record<string, unknown>>
}

/** What the packet thread tells. */
export type PacketReport =
  | {
      readonly type: 'reply'
      readonly id: number
      readonly answer?: ThreadStatus | RouteVerification | RouteChoices | LossCount
      readonly fault?: CommandFault
    }
  | { readonly type: 'route'; readonly event: VpnEvents['route'] }
  | { readonly type: 'routeEvent'; readonly event: VpnEvents['routeEvent'] }
  | { readonly type: 'throughput'; readonly event: Throughput }
  | { readonly type: 'guards'; readonly state: GuardState }
  | { readonly type: 'payment'; readonly payment: NumberedPayment }
  | { readonly type: 'wantTokens'; readonly count: number }
  /** Told when it closes. */
  | { readonly type: 'tokensLeft'; readonly tokens: readonly OwnToken[] }
  /** How much of what it can the thread did in the last second, 0 to 1. */
  | { readonly type: 'use'; readonly use: number }
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>> | undefined
    }
