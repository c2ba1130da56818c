/** The parts of the HTTP API that the dashboard shows (GET /api/v1/openapi.json is the whole). Times: ms since the epoch. */
export interface Fault {
  readonly code: string
  readonly cause: string
  readonly fix: string
}

export interface PeerStatus {
  readonly id: string
  readonly state: 'connected' | 'connecting' | 'unreachable'
  readonly since: number
  readonly rttMs?: number
  readonly fault?: Fault
}

export interface MapStatus {
  readonly epoch?: number
  readonly signedAt?: number
  readonly signatures: number
  readonly quorum: number
  readonly validators: number
  readonly fault?: Fault
}

export interface NodeStatus {
  readonly node: {
    readonly id: string
    readonly name: string
    readonly roles: readonly string[]
    readonly version: string
    readonly uptimeMs: number
    readonly home: string
  }
  readonly network: { readonly id: string; readonly name: string; readonly simulated: boolean }
  readonly admission: { readonly state: string; readonly fault?: Fault }
  readonly map: MapStatus
  readonly peers: { readonly connected: number; readonly total: number }
  readonly storage: {
    readonly shards: number
    readonly bytes: number
    readonly quotaBytes: number
    readonly fault?: Fault
  }
  readonly resources: { readonly rssBytes: number; readonly eventLoopP99Ms: number }
  readonly faults: readonly Fault[]
}

export interface Member {
  readonly id: string
  readonly roles: readonly string[]
  readonly certificate: {
    readonly epoch: number
    readonly quorum: number
    readonly expiresAt: number
    readonly signatures: readonly unknown[]
  }
  readonly addresses: readonly string[]
  readonly family: string
  readonly region: string
  readonly country: string
  readonly asn: number
  readonly simulated: boolean
  /** Absent for the node that answers. */
  readonly peer?: PeerStatus
}

export interface Members {
  readonly epoch?: number
  readonly members: readonly Member[]
  readonly map: MapStatus
}

export interface StoredObject {
  readonly object: string
  readonly name: string
  readonly size: number
  readonly class: string
  readonly createdAt: number
  readonly expiresAt: number
}

export interface ObjectStatus {
  readonly object: string
  readonly size: number
  readonly class: { readonly name: string; readonly k: number; readonly n: number }
  readonly segments: readonly {
    readonly index: number
    readonly alive: number
    readonly shards: readonly { readonly index: number; readonly node: string; readonly state: ShardState }[]
  }[]
  readonly health: 'healthy' | 'degraded' | 'lost'
  readonly fault?: Fault
  readonly relaxed: readonly string[]
  readonly expiresAt: number
}

export type ShardState = 'stored' | 'unreachable' | 'missing' | 'corrupt'
