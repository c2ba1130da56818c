import { WeftError } from '@weft/core'

/** The roles that work today and that a devnet therefore hands out. */
export type DevnetRole = 'validator' | 'storage'

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

/**
 * Which nodes a devnet of `count` has: two clients, four validators that also store, and storage nodes for the rest.
 * No role is handed out before it works, and a certificate names at least one: so all members store.
 * @throws WeftError E_DEVNET_SIZE outside 6 to 60
 */
export function planNodes(count: number): readonly PlannedNode[] {
  if (!Number.isInteger(count) || count < MIN_NODES || count > MAX_NODES) {
    throw new WeftError({
      code: 'E_DEVNET_SIZE',
      cause: `A devnet of ${count} nodes is not possible: it has ${MIN_NODES} to ${MAX_NODES} (two clients, four validators, the rest storage).`,
      fix: `Give --nodes a number from ${MIN_NODES} to ${MAX_NODES}; the default is ${DEFAULT_NODES}.`,
    })
  }
  const storage = count - CLIENTS.length - VALIDATORS
  return [
    { name: CLIENTS[0], roles: [], client: true },
    ...numbered('validator', VALIDATORS, ['validator', 'storage']),
    ...numbered('storage', storage, ['storage']),
    { name: CLIENTS[1], roles: [], client: true },
  ]
}

function numbered(name: string, count: number, roles: readonly DevnetRole[]): PlannedNode[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${name}${index + 1}`, roles, client: false }))
}
