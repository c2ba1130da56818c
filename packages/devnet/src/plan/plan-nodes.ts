import { WeftError } from '@weft/core'

/** The roles that work today and that a devnet therefore hands out. */
export type DevnetRole = 'validator' | 'storage' | 'entry' | 'relay' | 'exit'

export interface PlannedNode {
  /** Also the name of its directory. */
  readonly name: string
  /** Empty for clients: every certified node has a role. */
  readonly roles: readonly DevnetRole[]
  /** Clients need no certificate and are never in the map. */
  readonly client: boolean
}

export const MIN_NODES = 6
/** Up to 64 members hold a connection to each other; a devnet stays within that. */
export const MAX_NODES = 60
export const DEFAULT_NODES = 12

const CLIENTS = ['client', 'client2'] as const
/** 3f+1 with f = 1: one validator may fail. */
const VALIDATORS = 4
/** Members for one exit, from two exits on. */
const MEMBERS_PER_EXIT = 5
/** The smallest storage class puts its shards on nine nodes: until there are so many, exits store as well. */
const LEAST_STORING = 9

/**
 * Which nodes a devnet of `count` has: two clients; four validators that store and are entry and relay; nodes that do
 * the same without judging; and exits: one to seven nodes, two from eight on, then one for each five members. An exit
 * is no entry and relay, so that no route is short of nodes. Every second exit stores nothing once nine others do.
 * @throws WeftError E_DEVNET_SIZE outside 6 to 60
 */
export function planNodes(count: number): readonly PlannedNode[] {
  if (!Number.isInteger(count) || count < MIN_NODES || count > MAX_NODES) {
    throw new WeftError({
      code: 'E_DEVNET_SIZE',
      cause: `A devnet of ${count} nodes is not possible: it has ${MIN_NODES} to ${MAX_NODES} (two clients, four validators, the rest storage and exits).`,
      fix: `Give --nodes a number from ${MIN_NODES} to ${MAX_NODES}; the default is ${DEFAULT_NODES}.`,
    })
  }
  const members = count - CLIENTS.length
  const others = members - VALIDATORS
  const exits = Math.min(others, Math.max(2, Math.floor(members / MEMBERS_PER_EXIT)))
  const storing = Math.max(Math.ceil(exits / 2), Math.min(exits, LEAST_STORING - (members - exits)))
  const validators = numbered('validator', VALIDATORS, ['validator', 'storage', 'entry', 'relay'])
  return [
    { name: CLIENTS[0], roles: [], client: true },
    ...(exits > 0 ? validators : lastIsExit(validators)),
    ...numbered('storage', others - exits, ['storage', 'entry', 'relay']),
    ...numbered('exit', exits, ['storage', 'exit'], storing),
    { name: CLIENTS[1], roles: [], client: true },
  ]
}

/** In the smallest devnet nobody but the validators is there to be the exit. */
function lastIsExit(validators: readonly PlannedNode[]): PlannedNode[] {
  return validators.map((node, index) =>
    index < validators.length - 1 ? node : { ...node, roles: ['validator', 'storage', 'exit'] },
  )
}

/** @param storing how many of them store: the first ones */
function numbered(name: string, count: number, roles: readonly DevnetRole[], storing = count): PlannedNode[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${name}${index + 1}`,
    roles: index < storing ? roles : roles.filter((role) => role !== 'storage'),
    client: false,
  }))
}
