import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Bridge, BRIDGES_FILE, BridgeDialer, addBridge, readBridges } from '@weft/bridge'
import { Scope, WeftError, isWeftError, messageOf, silentLogger, systemClock, throwIfAborted } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import type { JoinToken, NetworkFile, OpenThrough } from '@weft/overlay'
import { HomeChanges, networkExists } from './home-changes.ts'

export interface NetworkToJoin {
  /** As `weft network invite` printed it: a secret when it holds an invitation. */
  readonly token: string
  /** The home of the node that joins; its key is made when it has none. */
  readonly home: string
  /** Lines of bridges to call by, beside those that the home has: nobody else is called then. Secrets, kept in the home. */
  readonly bridges?: readonly string[]
  readonly signal: AbortSignal
}

export interface JoinedNetwork {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly node: string
  /** Whether it calls by bridges, and nobody else. */
  readonly byBridge: boolean
  /** Whether the network file names it as a validator, who needs no invitation. */
  readonly isValidator: boolean
  /** Absent in a network that is open. */
  readonly invitation?: { readonly roles: readonly string[]; readonly uses: number; readonly expiresAt: number }
}

/** The file of the home in which the daemon finds what it shows to validators. */
const PROOF_FILE = 'admission.proof'

/**
 * Joins a network with nothing but a token: gets the network file from the nodes that the token names, knows it by its
 * id, and uses the invitation for the key of this node. The secret of the invitation is not kept. In a home that is of
 * this network already only the invitation is new. When it fails it leaves nothing of its own behind, but the key that
 * the refusal of an invitation for another node names, and bridges.
 * @throws WeftError E_JOIN_TOKEN, E_JOIN_UNREACHABLE, E_BRIDGE_NONE, E_NETWORK_EXISTS, E_INVITE_EXPIRED, E_INVITE_BOUND, E_BRIDGE_LINE, E_BRIDGE_FILE, those of
 * `openInvitation`, E_KEY_FILE, E_STATE_UNWRITABLE, E_DISK_FULL, E_ABORTED
 */
export async function joinNetwork({ token, home, bridges = [], signal }: NetworkToJoin): Promise<JoinedNetwork> {
  const { encodeAdmissionProof, fetchNetworkFile, networkOf, openInvitation, parseJoinToken, proveInvitation } =
    await import('@weft/overlay')
  const joined = parseJoinToken(token)
  const path = join(home, 'network.json')
  const known = existsSync(path)
  if (known) await requireSameNetwork(path, joined)
  requireCurrent(joined)
  const bridgesFile = join(home, BRIDGES_FILE)
  for (const line of bridges) addBridge(bridgesFile, line)
  const dialer = dialerOf(readBridges(bridgesFile))
  const through = dialer && (((target, signal) => dialer.open(target, signal)) satisfies OpenThrough)
  const file = await withScope(signal, (scope) =>
    fetchNetworkFile({ ...joined, through, clock: systemClock, logger: silentLogger, scope, signal }),
  ).catch((error: unknown) => {
    throw dialer === undefined || !isWeftError(error, 'E_JOIN_UNREACHABLE') ? error : (noBridge(dialer) ?? error)
  })
  const issued = joined.invitation
  const invitation = issued === undefined ? undefined : openInvitation(networkOf(file), issued.envelope)
  const changes = new HomeChanges(home)
  try {
    const key = changes.nodeKey()
    if (invitation?.node !== undefined && toDidKey(invitation.node) !== key.id) {
      changes.keepKey()
      throw otherNode(toDidKey(invitation.node), key.id)
    }
    if (!known) changes.add('network.json', `${JSON.stringify(file, undefined, 2)}\n`)
    if (issued !== undefined) {
      const proof = proveInvitation(issued.envelope, issued.seed, key.publicKey)
      changes.replace(PROOF_FILE, encodeAdmissionProof({ way: 'invite', ...proof }))
    }
    const { roles, uses, expiresAt } = invitation ?? {}
    return {
      id: joined.network,
      name: file.name,
      path,
      node: key.id,
      byBridge: dialer !== undefined,
      isValidator: file.validators.some(({ id }) => id === key.id),
      ...(roles === undefined || uses === undefined || expiresAt === undefined
        ? {}
        : { invitation: { roles, uses, expiresAt } }),
    }
  } catch (error) {
    // Another one was quicker: what is there is its own.
    if (!isWeftError(error, 'E_NETWORK_EXISTS')) changes.undo()
    throw error
  }
}

/** By way of whom the nodes of the token are called; undefined for nobody. */
function dialerOf(bridges: readonly Bridge[]): BridgeDialer | undefined {
  return bridges.length === 0 ? undefined : new BridgeDialer({ bridges, clock: systemClock })
}

/** Why no bridge works, in the words of each, since no daemon is there to ask; undefined while one does. */
function noBridge(dialer: BridgeDialer): WeftError | undefined {
  if (dialer.fault === undefined) return undefined
  const faults = dialer.status().flatMap(({ fault }) => fault ?? [])
  return new WeftError({
    code: dialer.fault.code,
    cause: `None of the nodes that the token names was called, as no bridge works: ${faults.map(({ cause }) => cause).join(' ')}`,
    fix: faults[0]?.fix ?? dialer.fault.fix,
    retryable: true,
  })
}

async function withScope(signal: AbortSignal, task: (scope: Scope) => Promise<NetworkFile>): Promise<NetworkFile> {
  throwIfAborted(signal)
  const scope = new Scope({ name: 'join', logger: silentLogger })
  try {
    return await task(scope)
  } finally {
    await scope.close()
  }
}

/** @throws WeftError E_NETWORK_EXISTS when the home is of another network */
async function requireSameNetwork(path: string, { network }: JoinToken): Promise<void> {
  const { networkIdOf, readNetworkFile } = await import('@weft/overlay')
  let id: string
  try {
    id = networkIdOf(readNetworkFile(path).file)
  } catch (error) {
    throw new WeftError({
      ...networkExists(path).toJSON(),
      cause: `${path} is there already, and: ${messageOf(error)}`,
    })
  }
  if (id !== network) throw networkExists(path)
}

function requireCurrent({ invitation: issued }: JoinToken): void {
  if (issued === undefined || systemClock.now() < issued.invitation.expiresAt) return
  throw new WeftError({
    code: 'E_INVITE_EXPIRED',
    cause: `By the clock of this machine the invitation ended at ${new Date(issued.invitation.expiresAt).toISOString()}.`,
    fix: 'Ask whoever invited you for a new token (weft network invite), or set the clock right if it is wrong.',
  })
}

function otherNode(invited: string, own: string): WeftError {
  return new WeftError({
    code: 'E_INVITE_BOUND',
    cause: `The invitation is for the node ${invited}; this home is that of ${own}.`,
    fix: `Join in the home of that node (--home), or ask for an invitation for this one, which keeps its key: weft network invite --for ${own}`,
  })
}
