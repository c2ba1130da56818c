import { accessSync, chmodSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { BRIDGES_FILE } from '@weft/bridge'
import { WeftError, isDiskFull, messageOf, ensureDirectory } from '@weft/core'

/** Longest path of a unix socket in bytes: sun_path has 108 with the zero byte at its end (unix(7)), on macOS 104. */
const MAX_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107

/** Where everything of a node lies. */
export interface StatePaths {
  readonly home: string
  readonly socket: string
  readonly lock: string
  /** Written when the daemon is ready, removed when it stopped cleanly. */
  readonly daemonFile: string
  readonly nodeKey: string
  readonly personKey: string
  /** X25519, of a node that carries packets: of its links, and of circuits. */
  readonly linkKey: string
  readonly onionKeys: string
  /** Of circuits, the first one: made by earlier versions and for devnets. */
  readonly onionKey: string
  /** What this node shows to validators, where the policy of its network asks for something. */
  readonly proof: string
  /** Of a client: the bridges that it calls by. */
  readonly bridges: string
  /** Of a bridge: what it shows in TLS, and whom it invited. */
  readonly bridgeKey: string
  readonly bridgeCertificate: string
  readonly bridgeInvitations: string
  readonly tokens: string
  /** Keys of the S3 API, sealed. */
  readonly s3Keys: string
  /** Pages that lead a browser to a one-use link. */
  readonly links: string
  readonly logs: string
  /** There while the machine has rules for the tunnel of this node. */
  readonly tun: string
  /** Of the VPN, and which is in use. */
  readonly profiles: string
  /** Entries that routes begin at. */
  readonly guards: string
  /** Where connections of this node lead, for a kill switch that is put on while it does not run. */
  readonly nodes: string
  /** Tokens of this node, and what others paid it; and of an issuer its keys and what it issued. */
  readonly receipts: string
  readonly receiptIssuer: string
  readonly overlay: string
  readonly storage: string
}

export function statePaths(home: string): StatePaths {
  return {
    home,
    socket: join(home, 'api.sock'),
    lock: join(home, 'daemon.lock'),
    daemonFile: join(home, 'daemon.json'),
    nodeKey: join(home, 'node.key'),
    personKey: join(home, 'person.key'),
    linkKey: join(home, 'link.key'),
    onionKeys: join(home, 'onion'),
    onionKey: join(home, 'onion.key'),
    proof: join(home, 'admission.proof'),
    bridges: join(home, BRIDGES_FILE),
    bridgeKey: join(home, 'bridge.key'),
    bridgeCertificate: join(home, 'bridge.crt'),
    bridgeInvitations: join(home, 'bridge-invitations.json'),
    tokens: join(home, 'tokens.json'),
    s3Keys: join(home, 's3-keys.sealed'),
    links: join(home, 'links'),
    logs: join(home, 'logs'),
    tun: join(home, 'tun.json'),
    profiles: join(home, 'vpn-profiles.json'),
    guards: join(home, 'guards.json'),
    nodes: join(home, 'nodes.json'),
    receipts: join(home, 'receipts'),
    receiptIssuer: join(home, 'receipt-issuer'),
    overlay: join(home, 'overlay'),
    storage: join(home, 'storage'),
  }
}

/**
 * Makes the home with mode 0700 where it is missing.
 * @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL, E_SOCKET_PATH
 */
export function openStateDirectory(home: string): StatePaths {
  const paths = statePaths(home)
  const length = Buffer.byteLength(paths.socket)
  if (length > MAX_SOCKET_PATH) {
    throw new WeftError({
      code: 'E_SOCKET_PATH',
      cause: `The path of the API socket, ${paths.socket}, has ${length} bytes; the system allows ${MAX_SOCKET_PATH}.`,
      fix: `Choose a home whose path is at least ${length - MAX_SOCKET_PATH} bytes shorter (--home or WEFT_HOME).`,
    })
  }
  try {
    ensureDirectory(home)
    const { mode } = statSync(home)
    // Keys and stored references lie here: a home that others may enter is closed, not refused.
    if ((mode & 0o077) !== 0) chmodSync(home, 0o700)
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK)
    for (const directory of [paths.logs, paths.overlay, paths.storage]) ensureDirectory(directory)
  } catch (error) {
    throw stateUnwritable(home, error)
  }
  return paths
}

export function stateUnwritable(home: string, error: unknown): WeftError {
  const full = isDiskFull(error)
  return new WeftError({
    code: full ? 'E_DISK_FULL' : 'E_STATE_UNWRITABLE',
    cause: `The state directory ${home} cannot be written: ${messageOf(error)}.`,
    fix: full
      ? 'Free some space on its disk, or choose another home with --home or WEFT_HOME.'
      : 'Make it a directory of the user that runs the daemon (chown, chmod 700), or choose another with --home or WEFT_HOME.',
    origin: error,
  })
}
