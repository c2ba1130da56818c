import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  type Bridge,
  type BridgeInvitation,
  BridgeServer,
  type BridgeStatus,
  type Endpoint,
  InvitationStore,
  type InvitationUse,
  formatBridgeLine,
  pinOfKey,
} from '@weft/bridge'
import {
  type Clock,
  type Scope,
  WeftError,
  addressReach,
  canonicalHost,
  fromHex,
  isUnspecified,
  mappedIPv4,
  messageOf,
  toHex,
} from '@weft/core'
import type { NetworkFile, Overlay } from '@weft/overlay'
import { configError } from '../config/config-error.ts'
import type { Config } from '../config/load-config.ts'
import type { DaemonLog } from '../log/daemon-log.ts'
import { bridgeIdentity } from './bridge-identity.ts'
import { followDoors } from './member-doors.ts'
import { portError } from './port-error.ts'
import type { StatePaths } from './state-directory.ts'

/** What this node does as a bridge for others (docs/specs/bridge.md). */
export interface BridgeRole {
  status(): BridgeStatus
  /** Hexadecimal: by what clients know it. */
  readonly pin: string
  invitations(): readonly (BridgeInvitation & InvitationUse)[]
  /**
   * Makes an invitation; its line is in the answer and nowhere else.
   * @param address where clients reach this node, if not as bridge.address says
   * @throws WeftError E_BRIDGE_ADDRESS, E_BRIDGE_NAME_TAKEN, E_BRIDGE_LIMIT, E_BRIDGE_FILE
   */
  invite(name: string, address: string | undefined): BridgeInvitation & { readonly line: string }
  /** Ends an invitation, and its streams at once. @throws WeftError E_BRIDGE_UNKNOWN, E_BRIDGE_FILE */
  revoke(which: string): BridgeInvitation
}

export interface BridgeInit {
  readonly config: Config
  readonly paths: StatePaths
  readonly networkFile: NetworkFile
  readonly overlay: Pick<Overlay, 'membership' | 'term' | 'on'>
  readonly clock: Clock
  readonly log: DaemonLog
  readonly scope: Scope
}

/** Opens the bridge where this node is to be one. @throws WeftError E_PORT_TAKEN, E_PORT_UNUSABLE, E_CONFIG_INVALID, E_BRIDGE_FILE */
export async function startBridge(init: BridgeInit): Promise<BridgeRole | undefined> {
  const { config, paths, networkFile, overlay, clock, log, scope } = init
  const { values } = config
  if (!values['bridge.enabled']) return undefined
  const identity = bridgeIdentity(config, paths, clock.now())
  const store = new InvitationStore(paths.bridgeInvitations, clock)
  const limit = values['bridge.limit_mbps']
  const port = values['bridge.port']
  const server = await BridgeServer.open({
    host: networkFile.simulated === undefined ? values['network.listen_host'] : '127.0.0.1',
    port,
    identity,
    page: pageOf(config),
    secretOf: (id) => store.secretOf(id),
    isMember: followDoors(networkFile, overlay, scope),
    bytesPerSecond: limit === undefined ? undefined : limit * 125_000,
    clock,
  }).catch((error: unknown) => {
    throw portError(error, port, 'bridge.port')
  })
  scope.use('bridge', server)
  const pin = pinOfKey(identity.key)
  log.info('this node is a bridge', { port, invitations: store.list().length })
  return {
    status: () => server.status(),
    pin: toHex(pin),
    invitations: () => store.list().map((each) => ({ ...each, ...server.useOf(each.id) })),
    invite: (name, address) => {
      const endpoint = endpointOf(address ?? values['bridge.address'], config, server.port)
      const { secret, ...invitation } = store.create(name)
      const serverName = values['bridge.server_name'] ?? ''
      const bridge: Bridge = { endpoint, pin, id: fromHex(invitation.id), secret, serverName }
      return { ...invitation, line: formatBridgeLine(bridge) }
    },
    revoke: (which) => {
      const revoked = store.revoke(which)
      server.end(revoked.id)
      return revoked
    },
  }
}

/** Where clients reach this node: as it was said, or the one address that it listens on. @throws WeftError E_BRIDGE_ADDRESS */
function endpointOf(address: string | undefined, { values }: Config, port: number): Endpoint {
  const listened = values['network.listen_host']
  const host = canonicalHost(address ?? (isUnspecified(listened) ? '' : listened))
  // IPv4 in IPv6 is in no line: clients dial the IPv4 address itself.
  const usable = host !== undefined && !isUnspecified(host) && mappedIPv4(host) === undefined
  if (usable && (address !== undefined || addressReach(host) !== 'special')) return { host, port }
  throw new WeftError({
    code: 'E_BRIDGE_ADDRESS',
    cause:
      address === undefined
        ? 'This bridge does not know at which address clients reach it.'
        : `'${address.slice(0, 64)}' is no IP address that can be dialled.`,
    fix: 'Set bridge.address in weft.toml to its public IP address, or give one: weft bridge invite NAME --address ADDRESS. No names: clients look none up.',
  })
}

function pageOf({ values, home }: Config): string | undefined {
  const page = values['bridge.page']
  if (page === undefined) return undefined
  const path = resolve(home, page)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw configError(
      `bridge.page names ${path}, which cannot be read: ${messageOf(error)}.`,
      'Name an HTML file that the user of the daemon may read, or leave it out.',
      { key: 'bridge.page' },
    )
  }
}
