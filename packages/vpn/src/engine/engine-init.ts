import type { Bridge } from '@weft/bridge'
import type { X25519KeyPair } from '@weft/crypto'
import type { PaddingCosts, SharedMemory } from '@weft/onion'
import type { SuiteSetting } from '../aead/load-suites.ts'
import type { CarriageSetting } from '../carriage/carriage-choice.ts'
import type { TlsIdentity } from '../carriage/tls-options.ts'
import type { RouteProfile } from '../profile/route-profile.ts'
import type { GuardState } from '../route/guard-state.ts'
import type { ListPlaces, ProgramNames } from '../tun/split-programs.ts'

/** Of a node that carries packets for others. */
export interface PacketKeys {
  /** Of its links. */
  readonly link: X25519KeyPair
  /** Of circuits: all that are in use, newest first. Secrets in shared memory are no copies in a thread, and are wiped there as well. */
  readonly onion: readonly X25519KeyPair[]
  /** Nobody can have used the onion keys before, as in a network that is made for a bench: the first circuits need no time to be trusted. */
  readonly isFirstUse?: boolean
}

/** What the packet path of a node is made from: plain data, so that it crosses to its thread. */
export interface EngineInit {
  readonly networkId: string
  /** 32 bytes: the key of this node, which names it in handshakes. */
  readonly nodeKey: Uint8Array
  readonly roles: { readonly entry: boolean; readonly relay: boolean; readonly exit: boolean }
  /** A client has none. */
  readonly keys: PacketKeys | undefined
  /** How this client's routes are made until `setProfile` says otherwise; by default as `DEFAULT_ROUTE_PROFILE`. */
  readonly profile?: RouteProfile
  /** The guards of the client as it kept them; none at its first start. */
  readonly guards?: GuardState | undefined
  /** What may seal the layers of circuits, those of others included. */
  readonly suite: SuiteSetting
  /** Which of this node's packet workers it is, of how many, and what they have in common where there are several. */
  readonly worker: {
    readonly index: number
    readonly count: number
    readonly shared: SharedMemory | undefined
  }
  /** Where packets come in; port 0 takes a free one. */
  readonly udp: { readonly host: string; readonly port: number }
  readonly carriage: {
    /** What a client's packets to its entry travel in. */
    readonly setting: CarriageSetting
    /** Of an entry, which takes packets in TLS over TCP at the port of the same number: what it shows as its own there. */
    readonly identity: TlsIdentity | undefined
    /** By which alone a client calls its entries, in TLS; none where it calls by itself. */
    readonly bridges: readonly Bridge[]
  }
  /** Where the proxy listens once it is up. */
  readonly proxy: { readonly host: string; readonly port: number }
  /** Where names are answered while the proxy is up; undefined for nowhere. */
  readonly dns: { readonly host: string; readonly port: number } | undefined
  readonly tun: {
    /** Whether the whole machine goes through a route where nothing else is said. */
    readonly isWanted: boolean
    /** CIDRs: what does not; and what alone does, everything where it is empty. */
    readonly exclude: readonly string[]
    readonly include: readonly string[]
    /** The same by programs. */
    readonly excludePrograms: ProgramNames
    readonly includePrograms: ProgramNames
    /** Where these lists of programs stand, for messages. */
    readonly places: Readonly<Record<'exclude' | 'include', ListPlaces>>
    /** Says, as long as it is there, that the machine has rules for it. */
    readonly stateFile: string
  }
  /** Whether its routes are paid for, and circuits of others are to be (docs/specs/receipts.md); not when left out. */
  readonly receipts?: boolean
  readonly relay: {
    /** Most that is carried for others, bytes of packets a second each way; undefined for no limit. */
    readonly bytesPerSecond: number | undefined
    /** What tiers of others' circuits may cost this node; all that they ask for, up to 4,000 padding cells a second, when left out. */
    readonly padding?: PaddingCosts
  }
  readonly exit: {
    /** Rules of `parsePortRule`. */
    readonly allow: readonly string[]
    readonly deny: readonly string[]
    /** Addresses under which this node is known. */
    readonly own: readonly string[]
    /** `ADDRESS` or `ADDRESS:PORT`; empty for the system's. */
    readonly nameServers: readonly string[]
    /** Whether clients' IP packets are carried, by an interface of this machine. */
    readonly ip: boolean
  }
}

/** What leads programs and the machine into the routes: what a profile says of it holds from one `up` to the next `down`. */
export interface MachineWays {
  readonly dns: EngineInit['dns']
  readonly tun: Omit<EngineInit['tun'], 'stateFile'>
}
