import type { Bridge } from '@weft/bridge'
import { type Logger, type Scope, isWeftError, systemClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { type NetworkFile, networkIdOf, parseNodeAddress } from '@weft/overlay'
import type { VpnInit } from '@weft/vpn'
import type { Config } from '../config/load-config.ts'
import type { Components, NodeVpn } from './components.ts'
import { PROXY } from './open-proxy.ts'
import type { PacketKeys } from './packet-keys.ts'
import { portError } from './port-error.ts'
import type { VpnProfiles } from './vpn-profiles.ts'

/** Of the four ports from ports.public on, that of packets is the third (docs/specs/cli.md, Ports). */
const PACKETS = 2

/** Where packets come in, by UDP and, at an entry, in TLS over TCP. */
export function packetsPort({ values }: Pick<Config, 'values'>): number {
  return values['ports.packets'] ?? values['ports.public'] + PACKETS
}

export interface VpnStart {
  readonly config: Config
  readonly components: Pick<Components, 'createVpn'>
  readonly keys: { readonly node: SigningKey; readonly packets: PacketKeys | undefined }
  /** Where an entry, relay or exit listens. */
  readonly host: string
  /** By which alone this node calls; none where it calls by itself. */
  readonly bridges: readonly Bridge[]
  readonly networkFile: NetworkFile
  /** The one in use says how routes are made, and what leads into them. */
  readonly profiles: VpnProfiles
  /** Says that the machine has rules for the tunnel, as long as it is there. */
  readonly tunFile: string
  readonly guardsFile: string
  /** Of pay for circuits, where it is on. */
  readonly receiptStores: VpnInit['receiptStores']
  /** What the machine's kill switch has to know of this daemon. */
  readonly killSwitch: { readonly home: string; readonly nodesFile: string }
  readonly logger: Logger
  readonly scope: Scope
}

/**
 * Starts the VPN of this node, as yet without a network: an entry, relay or exit takes packets, a client nothing.
 * @throws WeftError E_PORT_TAKEN (UDP or TCP), E_UDP_PORT, E_LISTEN_FAILED, E_PACKETS_FAILED, E_PROFILES_FILE
 */
export async function startVpn(start: VpnStart): Promise<NodeVpn> {
  const { config, components, keys, networkFile, profiles, logger, scope } = start
  const { values, roles } = config
  const simulated = networkFile.simulated !== undefined
  const port = packetsPort(config)
  const { route, ways } = profiles.inUse
  try {
    const vpn = await components.createVpn({
      clock: systemClock,
      logger,
      scope,
      networkId: networkIdOf(networkFile),
      nodeKey: keys.node.publicKey,
      roles: { entry: roles.includes('entry'), relay: roles.includes('relay'), exit: roles.includes('exit') },
      keys: keys.packets === undefined ? undefined : { link: keys.packets.link, onion: keys.packets.onion.pairs },
      suite: values['vpn.suite'],
      // A client carries nothing for others.
      workers: keys.packets === undefined ? 1 : values['vpn.workers'],
      carriage: values['vpn.carriage'],
      bridges: start.bridges,
      udp: {
        // Nobody dials a client: any port will do, and it sends by IPv4 and IPv6.
        host: simulated || keys.packets !== undefined ? start.host : '::',
        port: keys.packets === undefined ? 0 : port,
      },
      proxy: { host: '127.0.0.1', port: values['ports.base'] + PROXY },
      profile: route,
      guardsFile: start.guardsFile,
      ...(start.receiptStores === undefined ? {} : { receiptStores: start.receiptStores }),
      dns: ways.dns,
      tun: { ...ways.tun, stateFile: start.tunFile },
      killSwitch: start.killSwitch,
      bootstrap: networkFile.validators.flatMap(({ addresses }) => addresses),
      relay: {
        bytesPerSecond: bytesPerSecond(values['relay.limit_mbps']),
        padding: { most: values['relay.padding'], perSecond: values['relay.padding_per_second'] },
      },
      exit: {
        allow: values['exit.allow'],
        deny: values['exit.deny'],
        own: values['network.announce'].flatMap((address) => parseNodeAddress(address)?.host ?? []),
        nameServers: values['exit.name_servers'],
        ip: values['exit.ip'] === 'on',
      },
    })
    profiles.follow(vpn)
    return vpn
  } catch (error) {
    if (!isWeftError(error, 'E_PORT_TAKEN')) throw error
    const setting = values['ports.packets'] === undefined ? `ports.public + ${PACKETS}` : 'ports.packets'
    throw portError({ code: 'EADDRINUSE' }, port, setting, error.details['protocol'] === 'tcp' ? 'tcp' : 'udp')
  }
}

function bytesPerSecond(mbps: number | undefined): number | undefined {
  return mbps === undefined ? undefined : mbps * 125_000
}

/** Whether the proxy is up from the start, by `vpn.proxy`. */
export function proxyFromStart({ values, roles }: Config, networkFile: NetworkFile): boolean {
  if (values['vpn.proxy'] !== 'auto') return values['vpn.proxy'] === 'on'
  return roles.length === 0 && networkFile.simulated !== undefined
}
