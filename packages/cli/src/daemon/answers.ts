import type { Fault } from '@weft/core'

/** The parts of the daemon's answers that the CLI reads (docs/specs: HTTP API). Programs get them whole by --json. */

export interface StatusAnswer {
  readonly node: {
    readonly id: string
    readonly name: string
    readonly roles: readonly string[]
    readonly version: string
    readonly pid: number
    readonly uptimeMs: number
    readonly home: string
  }
  readonly network: { readonly id: string; readonly name: string; readonly simulated: boolean }
  readonly admission: {
    readonly state: 'client' | 'applying' | 'certified' | 'refused'
    readonly votes?: number
    readonly quorum?: number
    readonly inMap?: boolean
    readonly expiresAt?: number
    readonly fault?: Fault
  }
  readonly map: {
    readonly epoch?: number
    readonly signatures: number
    readonly quorum: number
    readonly validators: number
    readonly signedAt?: number
    readonly fault?: Fault
  }
  readonly peers: { readonly connected: number; readonly total: number }
  readonly storage: { readonly shards: number; readonly bytes: number; readonly quotaBytes: number }
  readonly resources: { readonly rssBytes: number }
  readonly ports: { readonly api: number }
  readonly faults: readonly Fault[]
}

export interface IdAnswer {
  readonly node: string
  readonly person: string
}

export interface MembersAnswer {
  readonly epoch?: number
  readonly members: readonly {
    readonly id: string
    readonly roles: readonly string[]
    readonly certificate: { readonly epoch: number; readonly quorum: number; readonly signatures: readonly unknown[] }
    readonly family: string
    readonly region: string
    readonly country: string
    readonly asn: number
    readonly simulated: boolean
    readonly self: boolean
    readonly peer: { readonly state: string; readonly rttMs?: number }
  }[]
}

export interface PeersAnswer {
  readonly peers: readonly {
    readonly id: string
    readonly state: string
    readonly since: number
    readonly rttMs?: number
    readonly fault?: Fault
  }[]
}

export interface StoredAnswer {
  readonly ref: string
  readonly object: string
  readonly name: string
  readonly size: number
  readonly class: string
  readonly createdAt: number
  readonly expiresAt: number
}

export interface ObjectsAnswer {
  readonly objects: readonly StoredAnswer[]
}

export interface ObjectStatusAnswer {
  readonly object: string
  readonly size: number
  readonly class: { readonly name: string; readonly k: number; readonly n: number }
  readonly segments: readonly {
    readonly index: number
    readonly alive: number
    readonly shards: readonly { readonly index: number; readonly node: string; readonly state: string }[]
  }[]
  readonly health: 'healthy' | 'degraded' | 'lost'
  readonly fault?: Fault
  readonly relaxed: readonly string[]
  readonly expiresAt: number
}
