import type { ApiClient } from '../api/api-client.ts'
import type { DevnetState } from './devnet-state.ts'

/** The part of `GET /api/v1/members` that a devnet looks at. */
interface MembersAnswer {
  readonly epoch?: number
  readonly members: readonly {
    readonly id: string
    readonly layer: string
    readonly peer: { readonly state: string }
  }[]
}

/** How much of a devnet one node sees. */
export interface NetworkView {
  readonly epoch: number | undefined
  /** Names of nodes that should be in the signed map and are not. */
  readonly missing: readonly string[]
  /** Names of members without a connection from the asked node. */
  readonly unconnected: readonly string[]
  readonly members: number
  /** Names of members that have a seat among the validators. */
  readonly seated: readonly string[]
}

/** Asks a node which of the devnet's members it sees. @throws WeftError of the API */
export async function viewNetwork(api: ApiClient, state: DevnetState, signal?: AbortSignal): Promise<NetworkView> {
  const answer = await api.json<MembersAnswer>('GET', '/api/v1/members', undefined, { signal })
  const seen = new Map(answer.members.map(({ id, peer }) => [id, peer.state]))
  const seated = new Set(answer.members.flatMap(({ id, layer }) => (layer === 'validator' ? [id] : [])))
  const members = state.nodes.filter(({ client }) => !client)
  const asked = state.nodes.find(({ home }) => home === api.home)?.id
  return {
    epoch: answer.epoch,
    members: members.length,
    seated: members.filter(({ id }) => seated.has(id)).map(({ name }) => name),
    missing: members.filter(({ id }) => !seen.has(id)).map(({ name }) => name),
    unconnected: members
      .filter(({ id }) => id !== asked && seen.has(id) && seen.get(id) !== 'connected')
      .map(({ name }) => name),
  }
}
