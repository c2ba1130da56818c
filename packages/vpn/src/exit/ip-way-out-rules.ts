import { runCommand } from '../tun/run-command.ts'
import type { FlowLimits } from './flow-limits.ts'
import type { IpNetwork } from './ip-network.ts'

/**
 * Seconds after which an entry of connection tracking goes that nothing comes for. Of a connection as RFC 5382, section 5, has it at
 * least, where the system has five days; of datagrams as RFC 4787, section 4.3. An end that nobody repeats is soon forgotten.
 */
const TCP_SECONDS = 'established: 7440, syn_sent: 30, syn_recv: 30, time_wait: 10'
const UDP_SECONDS = 'unreplied: 30, replied: 120'
/** The last four bytes of a client's address, which are the same in both versions: in the header of each, at the offset in bits. */
const CLIENT = { ip: '@nh,96,32', ip6: '@nh,160,32' } as const

/**
 * The rules for one exit's clients, a table of nft(8) of its own. One transaction puts it in place of what a process that was
 * killed left of it. What the exit judged already is judged here a second time where that costs nothing: no packet of a client gets to this
 * machine itself, to another client, or out with another source; nobody outside begins anything with a client; and interfaces that
 * are opened for the replies forward nothing else. A flow beyond what a client, or its group, may hold or begin is answered as a target that
 * policy refuses; of one that is tracked already no packet is looked at again.
 * @param opened interfaces on which forwarding was off before: what stands in the set is set back by whoever removes the table
 */
export function sharedRules(
  name: string,
  { cidr4, cidr6, hasIPv6 }: IpNetwork,
  opened: readonly string[],
  limits: FlowLimits,
): string {
  const elements = opened.length === 0 ? '' : `elements = { ${opened.map((each) => `"${each}"`).join(', ')} }`
  const versions = hasIPv6 ? (['ip', 'ip6'] as const) : (['ip'] as const)
  const timeouts = versions.map(timeoutObjects).join('\n')
  return `
table inet ${name}
delete table inet ${name}
table inet ${name} {
  set opened { type ifname; ${elements} }
  set clients { type mark; flags dynamic; size 1024; }
  set rates { type mark; flags dynamic,timeout; timeout 1m; size 1024; }
  set groups { type mark; flags dynamic; size 1024; }
${timeouts}
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
    iifname "${name}" ct state new ct status ! confirmed jump begins
  }
  chain begins {
    ${versions.flatMap((version) => beginRules(version, limits)).join('\n    ')}
  }
  chain source {
    type nat hook postrouting priority srcnat
    ip saddr ${cidr4} oifname != "${name}" masquerade
    ${hasIPv6 ? `ip6 saddr ${cidr6} oifname != "${name}" masquerade` : ''}
  }
}
`
}

function timeoutObjects(version: 'ip' | 'ip6'): string {
  return `  ct timeout tcp_${version} { protocol tcp; l3proto ${version}; policy = { ${TCP_SECONDS} }; }
  ct timeout udp_${version} { protocol udp; l3proto ${version}; policy = { ${UDP_SECONDS} }; }`
}

/** For the first packet of a flow. */
function beginRules(version: 'ip' | 'ip6', limits: FlowLimits): string[] {
  const family = `meta nfproto ${version === 'ip' ? 'ipv4' : 'ipv6'}`
  const client = CLIENT[version]
  const { perClient, groups, perGroup, perSecond, atOnce } = limits
  const refuse = 'reject with icmpx type admin-prohibited'
  return [
    `${family} update @rates { ${client} limit rate over ${perSecond}/second burst ${atOnce} packets } ${refuse}`,
    `${family} add @clients { ${client} ct count over ${perClient} } ${refuse}`,
    `${family} add @groups { ${client} & ${groups - 1} ct count over ${perGroup} } ${refuse}`,
    `${family} meta l4proto tcp ct timeout set "tcp_${version}"`,
    `${family} meta l4proto udp ct timeout set "udp_${version}"`,
  ]
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
