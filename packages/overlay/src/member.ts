import type { Fault } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Measured } from './admission/measured-field.ts'
import type { ResourceDescriptor } from './resources/resource-descriptor.ts'
import type { Beacon } from './beacon/beacon.ts'
import type { Placing } from './records/placing.ts'

export const ROLES = [
  'client',
  'mailbox',
  'storage',
  'apps',
  'gateway',
  'entry',
  'relay',
  'exit',
  'compute',
  'validator',
] as const
export type Role = (typeof ROLES)[number]

/** Roles that carry packets of the VPN, and that therefore need a `PacketService`. */
export const PACKET_ROLES = ['entry', 'relay', 'exit'] as const satisfies readonly Role[]

export function carriesPackets(roles: readonly Role[]): boolean {
  return PACKET_ROLES.some((role) => roles.includes(role))
}

/** Roles whose users dial them: they need an address of their own, and are not reached over relays. */
export const PUBLIC_ROLES = ['gateway', ...PACKET_ROLES, 'validator'] as const satisfies readonly Role[]

export function publicRolesOf(roles: readonly Role[]): readonly Role[] {
  return PUBLIC_ROLES.filter((role) => roles.includes(role))
}

/** Where and under which keys an entry, relay or exit takes packets of the VPN (docs/specs/packets.md). */
export interface PacketService {
  /** `/ip4|ip6/ADDRESS/udp/PORT`; 1 to 4, at hosts of the member's other addresses. */
  readonly addresses: readonly string[]
  /** 32 bytes, X25519: the static key of its links. */
  readonly linkKey: Uint8Array
  /** 32 bytes, X25519: the key that circuit handshakes are made against. */
  readonly onionKey: Uint8Array
}

/** A certified node as the signed map shows it. */
export interface Member {
  readonly id: DidKey
  readonly roles: readonly Role[]
  /** Where it listens, or `/p2p/RELAY/p2p-circuit`, through whom it is reached; dialled back by the quorum. */
  readonly addresses: readonly string[]
  /** Operator family as declared; nodes of one family count as one operator in every diversity rule. */
  readonly family: string
  readonly region: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly asn: number
  /** The address that diversity rules look at: the real IPv4/IPv6 one, or in a devnet the synthetic one. */
  readonly diversityAddress: string
  /** True when place and address are a devnet's inventions; shown wherever they are. */
  readonly simulated: boolean
  /** Map epoch in which the certificate was issued. */
  readonly certificateEpoch: number
  /** ms since the epoch. */
  readonly expiresAt: number
  /** 32 bytes: SHA-256 of the certificate. */
  readonly certificateHash: Uint8Array
  /** Of an entry, relay or exit. */
  readonly packets?: PacketService
  /** What a quorum of validators found to hold; absent where nothing was claimed. */
  readonly measured?: Measured
  /** What it says of its machine, unchecked; absent when it says nothing. */
  readonly resources?: ResourceDescriptor
  /** 32 bytes: where a beacon put it (docs/specs/beacon.md, Position); left out before. */
  readonly position?: Uint8Array
  /** 32 bytes, of a validator that takes part in beacons: the key that its shares are encrypted to. */
  readonly beaconKey?: Uint8Array
}

export interface MapStatus {
  /** Undefined before the first map. */
  readonly epoch: number | undefined
  readonly root: string | undefined
  /** ms since the epoch: when the quorum signed it. */
  readonly signedAt: number | undefined
  /** The newest beacon that it carries; undefined before the first. */
  readonly beacon?: Beacon | undefined
  /** Validators that signed it. */
  readonly signatures: number
  readonly quorum: number
  readonly validators: number
  /** Set when no quorum signed for a while (E_MAP_STALE), or none is known yet (E_MAP_NONE). */
  readonly fault: Fault | undefined
}

/** Read-only view of the signed map; the one source of members for placement, records and routes. */
export interface Membership {
  /** By what members stand among the record keys; left out: by their keys. */
  readonly placing?: Placing
  readonly networkId: string
  /** Members of the newest verified map, sorted by public key. Same array until the map changes. */
  members(): readonly Member[]
  member(id: DidKey): Member | undefined
  isMember(id: DidKey): boolean
  isValidator(id: DidKey): boolean
  status(): MapStatus
  /** Calls back after each newly accepted map; returns the unsubscribe function. */
  onChange(listener: () => void): () => void
}
