import { type Scope, isWeftError, systemClock, systemRandom, throwIfAborted } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { type AdmissionProof, type NetworkFile, type Overlay, networkOf } from '@weft/overlay'
import type { PersonStorage } from '@weft/storage'
import type { Config } from '../config/load-config.ts'
import type { NetworkChecked } from '../health/network-checked.ts'
import type { DaemonLog } from '../log/daemon-log.ts'
import type { Components, NodeVpn } from './components.ts'
import { defaultFamily } from './default-family.ts'
import type { OwnBridges } from './open-bridges.ts'
import { declaredHosts, listenHost } from './listen-host.ts'
import { openProxyFromStart } from './open-proxy.ts'
import { openReceipts } from './open-receipts.ts'
import { ownResources } from './own-resources.ts'
import type { PacketKeys } from './packet-keys.ts'
import { privateCallers } from './private-callers.ts'
import { portError } from './port-error.ts'
import { packetsPort, proxyFromStart, startVpn } from './start-vpn.ts'
import { loggedKillSwitch } from './kill-switch.ts'
import { homeProfiles } from './home-profiles.ts'
import type { VpnProfiles } from './vpn-profiles.ts'
import type { StatePaths } from './state-directory.ts'

/** Behind ports.public: the overlay by WebSocket. */
const WEB_SOCKET = 1

export interface NetworkInit {
  readonly config: Config
  readonly components: Components
  readonly paths: StatePaths
  readonly keys: {
    readonly node: SigningKey
    readonly person: SigningKey
    /** Of an entry, relay or exit. */
    readonly packets: PacketKeys | undefined
  }
  readonly networkFile: NetworkFile
  /** What the policy of the network asks for. */
  readonly proof: AdmissionProof | undefined
  /** By which alone this node calls, where there are any. */
  readonly bridges: OwnBridges | undefined
  readonly log: DaemonLog
  readonly scope: Scope
  readonly signal: AbortSignal
}

export interface StartedNetwork {
  readonly overlay: Overlay
  readonly storage: PersonStorage
  readonly vpn: NodeVpn
  readonly profiles: VpnProfiles
  /** What its operator says of its energy, or an attester. */
  readonly energy: NetworkChecked['energy']
  /** Undefined for a pure client, which does not listen. */
  readonly overlayPort: number | undefined
  /** The same by WebSocket. */
  readonly webSocketPort: number | undefined
  /** Of an entry, relay or exit. */
  readonly packetsPort: number | undefined
  /** Where it listens for others, and where they are to reach it, as far as that is said. */
  readonly listen: { readonly host: string; readonly declared: readonly string[] }
}

/**
 * Starts this node's part of the network and, on it, storage and the VPN. Packets are taken before the node applies:
 * validators try that at once.
 * @throws WeftError E_PORT_TAKEN, E_ABORTED and those of the three
 */
export async function startNetwork({
  config,
  components,
  paths,
  keys,
  networkFile,
  proof,
  bridges,
  log,
  scope,
  signal,
}: NetworkInit): Promise<StartedNetwork> {
  const { values, roles } = config
  const simulated = networkFile.simulated !== undefined
  const port = roles.length === 0 ? undefined : values['ports.public']
  const hosts = declaredHosts(config, networkFile, keys.node.id)
  const host = simulated ? '127.0.0.1' : listenHost(config, hosts)
  const listen =
    port === undefined
      ? []
      : [
          { host, port },
          // Of all addresses of IPv6 libp2p means these alone, others (WebSockets, packets) those of IPv4 too.
          ...(host === '::' ? [{ host: '0.0.0.0', port }] : []),
          { host, port: port + WEB_SOCKET, websocket: true },
        ]
  const announce = values['network.announce']
  const common = { clock: systemClock, random: systemRandom, logger: log, scope }
  const resources = ownResources(config, { ...common, network: networkOf(networkFile), key: keys.node })
  const profiles = await homeProfiles(config, loggedKillSwitch(components.profileKillSwitch(config), log))
  const receipts = await openReceipts({ config, paths, node: keys.node, networkFile, scope })
  const vpn = await startVpn({
    config,
    components,
    keys,
    networkFile,
    profiles,
    host,
    bridges: bridges?.bridges ?? [],
    tunFile: paths.tun,
    guardsFile: paths.guards,
    receiptStores: receipts.stores,
    killSwitch: { home: paths.home, nodesFile: paths.nodes },
    logger: log,
    scope,
  })
  throwIfAborted(signal)
  const onionKeys = keys.packets?.onion
  // Threads have a new key before anybody hears of it.
  onionKeys?.onChange((pairs) => vpn.setOnionKeys(pairs))
  const [newest] = onionKeys?.pairs ?? []
  const overlay = await components
    .createOverlay({
      ...common,
      network: networkFile,
      key: keys.node,
      roles,
      listen,
      ...(announce.length === 0 ? {} : { announce }),
      ...(keys.packets === undefined || newest === undefined
        ? {}
        : {
            packets: {
              port: packetsPort(config),
              linkKey: keys.packets.link.publicKey,
              onionKey: newest.publicKey,
            },
            onionKeys,
          }),
      family: values['node.family'] ?? defaultFamily(keys.person),
      region: values['node.region'],
      country: values['node.country'],
      asn: values['node.asn'],
      ...(resources === undefined ? {} : { resources }),
      ...(values['node.forward'] ? { lends: ['forward'] as const } : {}),
      ...(bridges === undefined ? {} : { through: (target, limited) => bridges.dialer.open(target, limited) }),
      directory: paths.overlay,
      ...(proof === undefined ? {} : { proof }),
      probes: [...components.probes({ ...common, directory: paths.storage }), vpn.probe],
      loss: vpn.loss,
      offer: {
        bandwidthMbps: values['node.bandwidth_mbps'],
        storageBytes: roles.includes('storage') ? values['storage.quota'] : undefined,
      },
    })
    .catch((error: unknown) => {
      // The overlay does not know who has the port, nor by which setting it was chosen.
      if (!isWeftError(error, 'E_PORT_TAKEN')) throw error
      const taken = Number(error.details['port'] ?? port)
      const setting = taken === port ? 'ports.public' : `ports.public + ${WEB_SOCKET}`
      throw portError({ code: 'EADDRINUSE' }, taken, setting)
    })
  throwIfAborted(signal)
  onionKeys?.start(scope)
  receipts.serve(overlay)
  vpn.follow(overlay)
  const storage = await components.createStorage({
    ...common,
    overlay,
    personKey: keys.person,
    directory: paths.storage,
    openPrivate: privateCallers(overlay, vpn),
    ...(roles.includes('storage')
      ? {
          holder: {
            quotaBytes: values['storage.quota'],
            reserveBytes: values['storage.reserve'],
            key: keys.node,
          },
        }
      : {}),
  })
  if (proxyFromStart(config, networkFile)) await openProxyFromStart({ vpn, profiles }, values['ports.base'], log)
  const webSocketPort = port === undefined ? undefined : port + WEB_SOCKET
  const packets = keys.packets === undefined ? undefined : packetsPort(config)
  const energy = resources?.energy
  const places = { host, declared: hosts }
  return {
    overlay,
    storage,
    vpn,
    profiles,
    energy,
    overlayPort: port,
    webSocketPort,
    packetsPort: packets,
    listen: places,
  }
}
