/** What a token may be allowed to do: a domain and a verb. Every route declares one of these, or that it is public. */
export const SCOPES = {
  'node:read': 'read the state of this node: status, ids, checks',
  'node:admin': 'stop the daemon, manage tokens, open the dashboard',
  'network:read': 'read members, peers and the signed map',
  'network:probe': 'measure peers',
  'network:invite': 'invite others into the network in the name of this node',
  'network:attest': 'attest the energy of members with the keys of this node and its person',
  'network:admin': 'vote, at a validator, on the ejection of a node',
  'storage:read': 'list objects, read them and their health',
  'storage:write': 'put and remove objects',
  'storage:admin': 'make and revoke keys of the S3 API, and export everything with the keys that own it',
  'vpn:read': 'read the routes of this node, its proxy and what it carries',
  'vpn:use': 'turn the proxy and its routes on and off, and choose the profile that they follow',
  'vpn:admin': 'make, change and delete profiles',
  'bridge:read': 'read which bridges this node calls by, and what it does as a bridge',
  'bridge:admin': 'invite to this bridge, and revoke invitations',
  'events:read': 'follow the events of this node',
  'metrics:read': 'scrape /metrics',
} as const

export type Scope = keyof typeof SCOPES
export const SCOPE_NAMES = Object.keys(SCOPES) as Scope[]

/** All that the dashboard asks for: it shows, and turns the VPN on and off. */
export const DASHBOARD_SCOPES: readonly Scope[] = [
  'node:read',
  'network:read',
  'storage:read',
  'vpn:read',
  'vpn:use',
  'events:read',
]

/** A scope, all of a domain (`storage:*`), or everything (`*`). */
export type Grant = Scope | `${string}:*` | '*'

/** Everything that may be granted, for syntax and help. */
export const GRANTS: readonly Grant[] = [
  '*',
  ...new Set(SCOPE_NAMES.map((scope) => `${scope.split(':')[0] as string}:*` as const)),
  ...SCOPE_NAMES,
]

export function isGrant(text: string): text is Grant {
  return (GRANTS as readonly string[]).includes(text)
}

/** Whether the grants allow a scope. */
export function allows(grants: readonly Grant[], scope: Scope): boolean {
  return grants.some(
    (grant) => grant === '*' || grant === scope || (grant.endsWith(':*') && scope.startsWith(grant.slice(0, -1))),
  )
}

/** Whether `grants` are no more than `held`: nobody hands out what it does not have. */
export function covers(held: readonly Grant[], grants: readonly Grant[]): boolean {
  return grants.every((grant) => {
    if (held.includes('*')) return true
    if (grant === '*') return false
    if (!grant.endsWith(':*')) return allows(held, grant as Scope)
    return held.includes(grant)
  })
}
