import type { Grant } from './scopes.ts'

/** Who made a request, and what it may do. */
export interface Principal {
  readonly kind: 'socket' | 'token' | 'session' | 'anyone'
  /** For the log; of a token its name. */
  readonly name: string
  readonly grants: readonly Grant[]
}

/** Whoever may open the unix socket (mode 0600) is the user that runs the daemon. */
export const SOCKET_PRINCIPAL: Principal = { kind: 'socket', name: 'local user', grants: ['*'] }

/** Who comes to a public route: nobody asked. */
export const ANYONE: Principal = { kind: 'anyone', name: 'anyone', grants: [] }
