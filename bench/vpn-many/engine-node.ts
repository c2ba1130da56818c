import { type Random, systemRandom } from '@weft/core'
import { type X25519KeyPair, toDidKey } from '@weft/crypto'
import { generateX25519 } from '@weft/onion'
import { createPlainCertificate } from '@weft/overlay'
import type { EngineInit } from '../../packages/vpn/src/engine/engine-init.ts'
import type { RouteProfile } from '../../packages/vpn/src/profile/route-profile.ts'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'

const NOBODY = { users: [], cgroups: [] }
const NOWHERE = { users: { name: '', remedy: '' }, cgroups: { name: '', remedy: '' } }

export interface EngineSettings {
  readonly networkId: string
  /** Where packets come in, by default a free port of loopback. */
  readonly udp?: { readonly host: string; readonly port: number }
  /** Whom its exit calls, as rules have it. */
  readonly allow: readonly string[]
  readonly bytesPerSecond?: number
  /** Of a client; that of a node whose profile says nothing by default. */
  readonly profile?: RouteProfile
}

/** What all others know of a node, but for where it is. */
export type EngineMember = Omit<RouteMember, 'endpoint'>

/** A node that is entry, relay and exit at once. @param at its number: each has a family, a network and an AS of its own */
export function newEngineNode(
  at: number,
  settings: EngineSettings,
): { readonly init: EngineInit; readonly member: EngineMember } {
  const nodeKey = systemRandom.bytes(32)
  const keys = keyPairs(systemRandom)
  const member = {
    id: toDidKey(nodeKey),
    key: nodeKey,
    roles: ['entry', 'relay', 'exit'],
    linkKey: keys.link.publicKey,
    onionKey: (keys.onion[0] as X25519KeyPair).publicKey,
    family: `family-${at}`,
    prefix: `10.${at}.0.0/16`,
    asn: 64_512 + at,
    country: 'DE',
    region: 'europe',
    simulated: true,
  } as const
  return { init: engineInit(nodeKey, keys, settings), member }
}

/** A client. */
export function newEngineClient(settings: EngineSettings): EngineInit {
  return engineInit(systemRandom.bytes(32), undefined, settings)
}

type Keys = NonNullable<EngineInit['keys']>

function keyPairs(random: Random): Keys {
  return { link: generateX25519(random), onion: [generateX25519(random)], isFirstUse: true }
}

function engineInit(nodeKey: Uint8Array, keys: Keys | undefined, settings: EngineSettings): EngineInit {
  const carries = keys !== undefined
  return {
    networkId: settings.networkId,
    nodeKey,
    roles: { entry: carries, relay: carries, exit: carries },
    keys,
    suite: 'auto',
    worker: { index: 0, count: 1, shared: undefined },
    carriage: { setting: 'udp', identity: carries ? createPlainCertificate() : undefined, bridges: [] },
    udp: settings.udp ?? { host: '127.0.0.1', port: 0 },
    proxy: { host: '127.0.0.1', port: 0 },
    ...(settings.profile === undefined ? {} : { profile: settings.profile }),
    dns: undefined,
    tun: {
      isWanted: false,
      exclude: [],
      include: [],
      excludePrograms: NOBODY,
      includePrograms: NOBODY,
      places: { exclude: NOWHERE, include: NOWHERE },
      stateFile: '',
    },
    relay: { bytesPerSecond: settings.bytesPerSecond },
    exit: { allow: settings.allow, deny: [], own: [], nameServers: [], ip: false },
  }
}
