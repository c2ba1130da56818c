import { runCommand } from '../tun/run-command.ts'
import type { IpNetwork } from './ip-network.ts'

/**
 * The rules for one exit's clients, a table of nft(8) of its own. One transaction puts it in place of what a process that was
 * killed left of it. What the exit judged already is judged here a second time where that costs nothing: no packet of a client gets to this
 * machine itself, to another client, or out with another source; nobody outside begins anything with a client; and interfaces that
 * are opened for the replies forward nothing else.
 * @param opened interfaces on which forwarding was off before: what stands in the set is set back by whoever removes the table
 */
export function sharedRules(name: string, { cidr4, cidr6, hasIPv6 }: IpNetwork, opened: readonly string[]): string {
  const elements = opened.length === 0 ? '' : `elements = { ${opened.map((each) => `"${each}"`).join(', ')} }`
  return `
table inet ${name}
delete table inet ${name}
table inet ${name} {
  set opened { type ifname; ${elements} }
  chain here {
    type filter hook input priority filter
    iifname "${name}" drop
  }
  chain through {
    type filter hook forward priority filter
    iifname "${name}" oifname "${name}" drop
    iifname "${name}" ip saddr != ${cidr4} drop
    iifname "${name}" ${hasIPv6 ? `ip6 saddr != ${cidr6}` : 'meta nfproto ipv6'} drop
    oifname "${name}" ct state != { established, related } drop
    iifname @opened oifname != "${name}" drop
  }
  chain source {
    type nat hook postrouting priority srcnat
    ip saddr ${cidr4} oifname != "${name}" masquerade
    ${hasIPv6 ? `ip6 saddr ${cidr6} oifname != "${name}" masquerade` : ''}
  }
}
`
}

/** Interfaces that a process of the same exit opened and could not close again, since it was killed. */
export async function stillOpened(name: string): Promise<string[]> {
  try {
    const text = await runCommand('nft', ['list', 'set', 'inet', name, 'opened'])
    return [...(/elements = \{([^}]*)\}/.exec(text)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '')
  } catch {
    return []
  }
}
