import { isIPv6 } from 'node:net'
import { INNER4, INNER6, INTERFACE, OUTSIDE_MARK, type OutsideAddress } from '../tun/machine-rules-text.ts'

export const KILL_SWITCH_TABLE = 'weft_killswitch'
const MARK = `0x${OUTSIDE_MARK.toString(16)}`
/** Of these rules: others of another version are no damage, but another switch. */
const VERSION = 1

/** Why a packet was blocked. */
const BLOCK_REASONS = ['dns', 'lan', 'ipv6', 'forwarded', 'other'] as const
export type BlockReason = (typeof BLOCK_REASONS)[number]

/** Of packets with their headers. */
export interface Blocked {
  readonly packets: number
  readonly bytes: number
}

/** What the rules stand on; it is written in them, so that who reads the kernel needs no file. */
export interface KillSwitchTerms {
  /** ms since the Unix epoch. */
  readonly since: number
  readonly allowLan: boolean
  /** The user that the daemon runs as. */
  readonly uid: number
}

/** RFC 1918, link-local (RFC 3927), groups of the link and the site (RFC 5771, RFC 2365), everybody on the link. */
const LAN4 = '10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 224.0.0.0/24, 239.255.0.0/16, 255.255.255.255'
/** Link-local (RFC 4291), ULA (RFC 4193), groups of the link. */
const LAN6 = 'fc00::/7, fe80::/10, ff02::/16'
/** Where servers of DHCP stand; also those of providers (RFC 6598). */
const DHCP4 = '10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, 255.255.255.255'
/** DNS, DNS over TLS, and LLMNR, by which a resolver asks everybody on the link. */
const DNS_PORTS = '53, 853, 5355'

/**
 * The rules of the kill switch for nft(8): one table, in one transaction that takes the place of another such table. By mark, user and interface, never
 * by routes: whatever routes somebody hands out (DHCP option 121, CVE-2024-3661), a packet that is not let out here stays. What one table drops
 * no other lets through.
 * - `own` believes the mark of sockets of the daemon's user alone, before the tunnel's rules set it on what they let go outside. Answers to who
 *   called this machine, which those rules would let out, it holds back unless they stay on the LAN and that is allowed;
 * - `leaving` has the last word on what leaves, once its interface is settled: the tunnel, this machine itself, what has the mark (the daemon's
 *   packets, and with the tunnel's rules what the person excluded from it), the daemon's connections to nodes, DHCP and what neighbours need;
 * - `passing` holds back what other machines and containers send through this one, but into the tunnel.
 * No rule looks at whether a connection stands: those that began before end as well.
 * @param blocked counts to go on from
 */
export function killSwitchRules(
  terms: KillSwitchTerms,
  blocked: Partial<Readonly<Record<BlockReason, Blocked>>> = {},
): string {
  const { since, allowLan, uid } = terms
  const nodes = ['ip', 'ip6'].map(
    (ip) => `meta skuid ${uid} meta l4proto { tcp, udp } ${ip} daddr . th dport @nodes${ip === 'ip' ? 4 : 6} accept`,
  )
  const lan = allowLan ? ['ip daddr @lan4 accept', 'ip6 daddr @lan6 accept'] : []
  const dhcp = [
    `udp sport 68 udp dport 67 ip daddr { ${DHCP4} } accept`,
    'udp sport 546 udp dport 547 ip6 daddr { fe80::/10, ff02::/16 } accept',
  ]
  const names = `meta l4proto { tcp, udp } th dport { ${DNS_PORTS} } counter name dns drop`
  return `
table inet ${KILL_SWITCH_TABLE}
delete table inet ${KILL_SWITCH_TABLE}
table inet ${KILL_SWITCH_TABLE} {
${BLOCK_REASONS.map((reason) => `  counter ${reason} { packets ${blocked[reason]?.packets ?? 0} bytes ${blocked[reason]?.bytes ?? 0} }`).join('\n')}
  set nodes4 { type ipv4_addr . inet_service; }
  set nodes6 { type ipv6_addr . inet_service; }
  set lan4 { type ipv4_addr; flags interval; elements = { ${LAN4} }; }
  set lan6 { type ipv6_addr; flags interval; elements = { ${LAN6} }; }
  chain own {
    type filter hook output priority mangle - 10; policy accept;
    meta mark ${MARK} meta skuid ${uid} accept comment "weft ${VERSION} since=${since} lan=${allowLan ? 'yes' : 'no'} uid=${uid}"
    meta mark ${MARK} meta mark set 0
    ct direction reply jump answers
  }
  chain answers {
    fib daddr type local accept
    ct original ip daddr ${INNER4} accept
    ct original ip6 daddr ${INNER6} accept
    ${[...nodes, ...dhcp, ...lan].join('\n    ')}
    goto blocked
  }
  chain leaving {
    type filter hook postrouting priority raw; policy drop;
    oif "lo" accept
    oifname "${INTERFACE}" accept
    meta mark ${MARK} accept
    ct direction reply ct reply ip daddr ${INNER4} accept
    ct direction reply ct reply ip6 daddr ${INNER6} accept
    ${[...nodes, ...dhcp].join('\n    ')}
    ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept
    ip6 daddr ff02::/16 icmpv6 type { mld-listener-report, mld2-listener-report } accept
    ${[names, ...lan].join('\n    ')}
    goto blocked
  }
  chain passing {
    type filter hook forward priority raw; policy drop;
    oifname "${INTERFACE}" accept
    iifname "${INTERFACE}" ct state { established, related } accept
    ${[names, ...lan].join('\n    ')}
    counter name forwarded drop
  }
  chain blocked {
    ${names}
    ip daddr @lan4 counter name lan drop
    ip6 daddr @lan6 counter name lan drop
    meta nfproto ipv6 counter name ipv6 drop
    counter name other drop
  }
}
`
}

/** What the rules say that {@link killSwitchRules} wrote, as nft lists them; undefined of others. */
export function termsIn(listing: string): KillSwitchTerms | undefined {
  const [, version, since, lan, uid] =
    /comment "weft (\d{1,9}) since=(\d{1,16}) lan=(yes|no) uid=(\d{1,10})"/.exec(listing) ?? []
  if (Number(version) !== VERSION) return undefined
  return { since: Number(since), allowLan: lan === 'yes', uid: Number(uid) }
}

/** Puts these addresses of nodes in place of those known. What is no address of IP is left out. */
export function nodeRules(nodes: readonly OutsideAddress[]): string {
  const elements = ([4, 6] as const).flatMap((family) => {
    const own = nodes.filter(({ host }) => isIPv6(host) === (family === 6))
    const all = [...new Set(own.map(({ host, port }) => `${host} . ${port}`))].join(', ')
    return all === '' ? [] : [`add element inet ${KILL_SWITCH_TABLE} nodes${family} { ${all} }`]
  })
  const flushed = [4, 6].map((family) => `flush set inet ${KILL_SWITCH_TABLE} nodes${family}`)
  return [...flushed, ...elements, ''].join('\n')
}

/** Words of nft that list the table, for people and with its counters for programs. */
export const LISTED_TABLE: readonly string[] = ['--stateless', 'list', 'table', 'inet', KILL_SWITCH_TABLE]
export const LISTED_COUNTERS: readonly string[] = ['--json', 'list', 'counters', 'table', 'inet', KILL_SWITCH_TABLE]

/** What was blocked, by nft's words of its counters (libnftables-json(5)); nothing where these are other words. Never throws. */
export function blockedIn(listing: string): Record<BlockReason, Blocked> {
  const none: Blocked = { packets: 0, bytes: 0 }
  const blocked = { dns: none, lan: none, ipv6: none, forwarded: none, other: none }
  try {
    const { nftables } = JSON.parse(listing) as { nftables: readonly { counter?: Record<string, unknown> }[] }
    for (const { counter } of nftables) {
      const reason = BLOCK_REASONS.find((name) => name === counter?.['name'])
      if (counter?.['table'] !== KILL_SWITCH_TABLE || reason === undefined) continue
      blocked[reason] = { packets: Number(counter['packets'] ?? 0), bytes: Number(counter['bytes'] ?? 0) }
    }
  } catch {
    // What was counted is told, and nothing rests on it.
  }
  return blocked
}

export const REMOVED_TABLE = `table inet ${KILL_SWITCH_TABLE}\ndelete table inet ${KILL_SWITCH_TABLE}\n`

/** Takes the addresses of nodes out of a listing, which change while the switch stands, and counts them. */
export function withoutNodes(listing: string): { readonly rules: string; readonly nodes: number } {
  let nodes = 0
  const rules = listing.replaceAll(
    /(set nodes[46] \{[^{}]*?)\n\s*elements = \{([^{}]*)\}/g,
    (_, head: string, elements: string) => {
      nodes += elements.split(',').length
      return head
    },
  )
  return { rules, nodes }
}

/** Most differences that are told. */
const MOST_DIFFERENCES = 8

/** How a listing differs from another, line by line within each chain and set; empty where it does not. */
export function differences(expected: string, found: string): string[] {
  const [wanted, seen] = [blocks(expected), blocks(found)]
  const all = [...new Set([...wanted.keys(), ...seen.keys()])].flatMap((name) => {
    const [want, see] = [wanted.get(name), seen.get(name)]
    if (want === undefined) return [`${name} is not of the switch`]
    if (see === undefined) return [`${name} is missing`]
    const missing = want.filter((line) => !see.includes(line)).map((line) => `${name}: missing: ${line}`)
    const foreign = see.filter((line) => !want.includes(line)).map((line) => `${name}: not of the switch: ${line}`)
    if (missing.length + foreign.length === 0 && want.join('\n') !== see.join('\n'))
      return [`${name}: in another order, or a line twice`]
    return [...missing, ...foreign]
  })
  const more = all.length - MOST_DIFFERENCES
  return more > 0 ? [...all.slice(0, MOST_DIFFERENCES), `and ${more} more`] : all
}

/** The lines of a listing by what they stand in: the table itself, a chain, a set, a counter. */
function blocks(listing: string): Map<string, string[]> {
  const all = new Map<string, string[]>()
  let name = 'table'
  for (const line of listing.split('\n').map((text) => text.trim())) {
    const opened = /^(table|chain|set|counter|map|flowtable)\b.*?(?= \{$)/.exec(line)?.[0]
    if (opened !== undefined) {
      name = opened
      all.set(name, [])
    } else if (line !== '' && line !== '}') {
      const lines = all.get(name)
      if (lines === undefined) all.set(name, [line])
      else lines.push(line)
    }
  }
  return all
}
