import {
  type Clock,
  type Logger,
  type Scope,
  WeftError,
  fromUtf8,
  isWeftError,
  messageOf,
  throwIfAborted,
} from '@weft/core'
import { shortId } from '@weft/crypto'
import { type NetworkFile, parseNetworkFile } from '../network/network-file.ts'
import { networkIdOf } from '../network/network-id.ts'
import { createProbe } from '../transport/probe.ts'
import type { OpenThrough } from '../transport/through-transport.ts'
import type { BootstrapNode, JoinToken } from './join-token.ts'

export interface FetchNetworkFileInit extends Pick<JoinToken, 'network' | 'bootstrap'> {
  /** By way of whom the nodes are called; by default by this one itself. */
  readonly through?: OpenThrough | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
  readonly signal: AbortSignal
}

/**
 * Gets the network file of this id from the first of the nodes that has it. None of them is trusted: a file is taken
 * only if its id is the one that was asked for.
 * @throws WeftError E_JOIN_UNREACHABLE with what was tried, E_ABORTED
 */
export async function fetchNetworkFile(init: FetchNetworkFileInit): Promise<NetworkFile> {
  const tried: string[] = []
  for (const node of init.bootstrap) {
    for (const address of node.addresses) {
      try {
        return await fetchFrom(node, address, init)
      } catch (error) {
        throwIfAborted(init.signal)
        tried.push(`…${shortId(node.id)} at ${address} (${isWeftError(error) ? error.code : messageOf(error)})`)
      }
    }
  }
  throw new WeftError({
    code: 'E_JOIN_UNREACHABLE',
    cause: `None of the nodes that the token names gave the file of the network ${init.network}: ${tried.join(', ')}.`,
    fix: 'See that this machine reaches the network and that these nodes run, and try again; or ask for a token that names others.',
    retryable: true,
  })
}

/** As a stranger: who joins has no place in the network yet. */
async function fetchFrom(
  { id }: BootstrapNode,
  address: string,
  { network, through, clock, logger, scope, signal }: FetchNetworkFileInit,
): Promise<NetworkFile> {
  await using probe = await createProbe({
    networkId: network,
    address,
    target: id,
    // A token names no node that is reached over a relay only.
    lookup: () => [],
    through,
    noise: false,
    clock,
    logger,
    scope,
    signal,
  })
  const { file } = await probe.rpc.call(id, 'network.file', {}, { signal })
  const parsed = parseNetworkFile(fromUtf8(file))
  if (networkIdOf(parsed) === network) return parsed
  throw new WeftError({
    code: 'E_NETWORK_MISMATCH',
    cause: `${shortId(id)} gave the file of the network ${networkIdOf(parsed)}, and was asked for ${network}.`,
    fix: 'Ask another node of the network.',
  })
}
