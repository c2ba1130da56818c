import { isIPv6 } from 'node:net'
import type { Programs } from './split-programs.ts'

/** "weft" in ASCII: the mark of packets that go outside of the tunnel; and the routing table of all others, with its rule's priority. */
export const OUTSIDE_MARK = 0x7765_6674
const TUNNEL_TABLE = 30_565
/** By which questions for names to servers of IPv6 have a way, so that the rules are asked about them, where the tunnel has none. */
const NAMES_TABLE = 30_564
export const INTERFACE = 'weft0'
/** Of the interface, always the same: what stands in packets towards an exit is the address that the exit gave. */
export const INNER4 = '100.127.255.1'
export const INNER6 = 'fd77:6566:7400::1'
const TABLE = 'weft_tun'
const MARK = `0x${OUTSIDE_MARK.toString(16)}`

/** Where an overlay connection of this daemon leads. */
export interface OutsideAddress {
  readonly host: string
  readonly port: number
}

export interface MachineRulesInit {
  /** CIDRs: what goes outside; and what alone goes through the tunnel, everything where it is empty. */
  readonly exclude: readonly string[]
  readonly include: readonly string[]
  /** Programs whose packets go outside, names included; and those whose alone go through the tunnel, beside what is included by address. */
  readonly excludePrograms: Programs
  readonly includePrograms: Programs
  /** Where names are answered on 127.0.0.1; undefined leaves them as they are. */
  readonly dnsPort: number | undefined
  /** The same on ::1; undefined where nobody listens there. */
  readonly dnsPort6: number | undefined
  /** The user that the daemon runs as. */
  readonly uid: number
}

/**
 * The rules of nft(8) for this machine, one table in one transaction. By mark, not by routes: a route that somebody hands out by DHCP
 * (option 121, CVE-2024-3661) draws nothing out of the tunnel, since routes of this machine's own tables count for marked packets only.
 * - `foreign` drops what comes for the interface's addresses by any other: who is next to this machine would learn of its connections, and speak
 *   in them (CVE-2019-14899);
 * - `uncalled` drops what an exit begins by itself: an exit has nothing to say but answers, and what answered it would go outside, as replies do;
 * - `leaving` marks what goes outside: replies to who called this machine, the daemon's own connections to nodes, excluded addresses, and
 *   what excluded programs send, `programs` where some are included what all others do;
 * - `closed` has what the system still sends for connections of excluded programs go as these did: by the tunnel it would tell a server which
 *   exit its caller has;
 * - `arriving` has the same mark on what came from outside for this machine, so that strict reverse path filters find it in order;
 * - `names` turns questions for names to the daemon, whichever server a program asks; where programs are included also those to a resolver of
 *   this machine, who would ask for them outside;
 * - `unreachable` answers what goes by IPv6 where the exit has none and the route alone cannot, as some of it may go outside;
 * - `guard` drops what would leave otherwise: sockets bound to a device, and everything while the interface is gone;
 * - `source` gives what another machine or container sends through this one the interface's address, and what is marked only after its
 *   socket took the interface's address that of the way that it goes.
 */
export function machineRules(init: MachineRulesInit, outside: readonly OutsideAddress[]): string {
  const { exclude, include, excludePrograms, includePrograms, dnsPort, uid } = init
  const some = programConditions(includePrograms)
  const without = programConditions(excludePrograms)
  // Names of who is not included are asked for where it is; not so where addresses are included, which could be those of names.
  const early = some.length > 0 && include.length === 0
  return `
table inet ${TABLE}
delete table inet ${TABLE}
table inet ${TABLE} {
${cidrSets('exclude', exclude)}
${cidrSets('include', include)}
  set nodes4 { type ipv4_addr . inet_service; }
  set nodes6 { type ipv6_addr . inet_service; }
  chain foreign {
    type filter hook prerouting priority raw
    iifname != { "lo", "${INTERFACE}" } ip daddr ${INNER4} drop
    iifname != { "lo", "${INTERFACE}" } ip6 daddr ${INNER6} drop
  }
  chain uncalled {
    type filter hook prerouting priority mangle
    iifname != "${INTERFACE}" accept
    ct state established accept
    ct state related meta l4proto { icmp, icmpv6 } accept
    counter drop
  }
  chain arriving {
    type filter hook prerouting priority mangle
    iifname != { "lo", "${INTERFACE}" } fib daddr type local meta mark set ${MARK}
  }
  chain leaving {
    type route hook output priority mangle
    meta mark ${MARK} accept
    ${lines(without.map((condition) => `${condition} meta mark set ${MARK} accept`))}
    ${without.length === 0 ? '' : 'jump closed'}
    ${early ? 'jump programs' : ''}
    ${dnsPort === undefined ? '' : 'meta l4proto { tcp, udp } th dport 53 accept'}
    ct direction reply ct original ip daddr ${INNER4} accept
    ct direction reply ct original ip6 daddr ${INNER6} accept
    ct direction reply meta mark set ${MARK} accept
    meta skuid ${uid} ip daddr . tcp dport @nodes4 meta mark set ${MARK} accept
    meta skuid ${uid} ip6 daddr . tcp dport @nodes6 meta mark set ${MARK} accept
    ip daddr @exclude4 meta mark set ${MARK} accept
    ip6 daddr @exclude6 meta mark set ${MARK} accept
    ${include.length === 0 ? '' : 'ip daddr @include4 accept\n    ip6 daddr @include6 accept\n    jump programs'}
  }
  chain closed {
    ${OWNED} return
    ${lines(WENT_OUTSIDE.map((condition) => `${condition} meta mark set ${MARK} accept`))}
  }
  chain programs {
    ${lines(some.map((condition) => `${condition} return`))}
    ${lines(some.length === 0 ? [] : OWNERLESS)}
    meta mark set ${MARK} accept
  }
  chain unreachable {
    type filter hook output priority filter
  }
  chain names {
    type nat hook output priority -100
    meta mark ${MARK} accept
    ${lines(early ? some.flatMap((condition) => toDaemon(init).map((rule) => `${condition} ${rule}`)) : [])}
    oifname "lo" accept
    ${lines(toDaemon(init))}
  }
  chain guard {
    type filter hook postrouting priority filter
    oifname { "lo", "${INTERFACE}" } accept
    meta mark ${MARK} accept
    udp sport 68 udp dport 67 accept
    udp sport 546 udp dport 547 accept
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report } accept
    counter drop
  }
  chain source {
    type nat hook postrouting priority srcnat
    oifname "${INTERFACE}" masquerade
    meta mark ${MARK} ip saddr ${INNER4} masquerade
    meta mark ${MARK} ip6 saddr ${INNER6} masquerade
  }
}
${outsideElements(outside)}
`
}

/**
 * Whether something of IPv6 may go outside while the exit has none, so that the route must not say that nothing is reached: addresses
 * of programs are chosen, and connections refused, by the route before any rule is looked at.
 */
export function isSplit({ exclude, include, excludePrograms, includePrograms }: MachineRulesInit): boolean {
  const programs = [excludePrograms, includePrograms].flatMap(({ uids, cgroups }) => [...uids, ...cgroups])
  return exclude.length + include.length + programs.length > 0
}

/** Whether what goes by IPv6 into the tunnel is carried, or answered at once, where {@link isSplit}; but for what was turned to the daemon. */
export function ipv6Rules(isCarried: boolean): string {
  const into = `add rule inet ${TABLE} unreachable meta mark != ${MARK} oifname "${INTERFACE}" meta nfproto ipv6 ip6 daddr != ::1`
  const answers = isCarried
    ? []
    : [`${into} meta l4proto tcp reject with tcp reset`, `${into} reject with icmpv6 no-route`]
  return [`flush chain inet ${TABLE} unreachable`, ...answers, ''].join('\n')
}

/** Puts other addresses of nodes in place of those known. */
export function outsideRules(outside: readonly OutsideAddress[]): string {
  return `flush set inet ${TABLE} nodes4\nflush set inet ${TABLE} nodes6\n${outsideElements(outside)}\n`
}

/** What takes them away. */
export const REMOVED_RULES = `table inet ${TABLE}\ndelete table inet ${TABLE}\n`

/** Words of nft, by which they are seen. */
export const LISTED_RULES: readonly string[] = ['--terse', 'list', 'table', 'inet', TABLE]

/** Lines of ip-batch(8) for both versions. */
export function interfaceLines(mtu: number, hasIPv6: boolean): string {
  return [
    `link set dev ${INTERFACE} mtu ${mtu}`,
    `address add ${INNER4}/32 dev ${INTERFACE}`,
    ...(hasIPv6 ? [`address add ${INNER6}/128 dev ${INTERFACE} nodad`] : []),
    `link set dev ${INTERFACE} up`,
    '',
  ].join('\n')
}

/** Of one version. IPv6 is unreachable until an exit is found to have it: programs take IPv4 at once. */
export function routeLines(family: 4 | 6): string {
  const route = family === 4 ? `default dev ${INTERFACE}` : 'unreachable default'
  return [
    `route replace ${route} table ${TUNNEL_TABLE}`,
    `rule add not fwmark ${MARK} table ${TUNNEL_TABLE} priority ${TUNNEL_TABLE}`,
    '',
  ].join('\n')
}

/**
 * Of IPv6, beside those: questions for names go into the interface whatever it carries, as far as they are not turned to the daemon before. Those
 * without a mark: "not" would turn the port about as well.
 */
export const NAMES_ROUTE_LINES = [
  `route replace default dev ${INTERFACE} table ${NAMES_TABLE}`,
  ...['tcp', 'udp'].map(
    (protocol) =>
      `rule add fwmark 0/0xffffffff ipproto ${protocol} dport 53 table ${NAMES_TABLE} priority ${NAMES_TABLE}`,
  ),
  '',
].join('\n')

/** Takes them away, however many a process that was killed left. */
export const REMOVED_ROUTES = [
  `rule del priority ${TUNNEL_TABLE}`,
  ...['tcp', 'udp'].map(() => `rule del priority ${NAMES_TABLE}`),
  ...[TUNNEL_TABLE, NAMES_TABLE].map((table) => `route flush table ${table}`),
  '',
].join('\n')

/** Words of ip(8), by which packets of IPv6 go into the tunnel, or nowhere. */
export function ipv6Route(isCarried: boolean): readonly string[] {
  const table = String(TUNNEL_TABLE)
  return isCarried
    ? ['-6', 'route', 'replace', 'default', 'dev', INTERFACE, 'metric', '1', 'table', table]
    : ['-6', 'route', 'del', 'default', 'dev', INTERFACE, 'metric', '1', 'table', table]
}

/** Sent by a program that the system still knows. */
const OWNED = `meta skuid 0-${2 ** 32 - 2}`
/** Of a connection that began while the tunnel was there, and goes beside it. */
const WENT_OUTSIDE = [
  `ct status confirmed ct original ip saddr ${INNER4} ct reply ip daddr != ${INNER4}`,
  `ct status confirmed ct original ip6 saddr ${INNER6} ct reply ip6 daddr != ${INNER6}`,
]

/**
 * What the system sends for no program that it still knows, such as the last acknowledgement of a connection, the rest of what its program
 * wrote before it closed it, or word that nobody listens: goes where its connection went. Where that is not known any more, it goes into
 * the tunnel if it begins nothing. What begins something for no program is the system's own, such as a file system of the network.
 */
const OWNERLESS = [
  `ct status confirmed ct reply ip daddr ${INNER4} return`,
  `ct status confirmed ct reply ip6 daddr ${INNER6} return`,
  `${OWNED} meta mark set ${MARK} accept`,
  ...[`ip saddr ${INNER4}`, `ip6 saddr ${INNER6}`].flatMap((own) => [
    `${own} ct state invalid return`,
    `${own} ct state new tcp flags & syn == 0 return`,
  ]),
]

/** Of nft, each met by what such a program sends. */
function programConditions({ uids, cgroups }: Programs): string[] {
  return [
    ...(uids.length === 0 ? [] : [`meta skuid { ${uids.join(', ')} }`]),
    ...cgroups.map(({ path, level }) => `socket cgroupv2 level ${level} "${path}"`),
  ]
}

/** Questions for names; by IPv6 also where nobody answers them there: they are refused. */
function toDaemon({ dnsPort, dnsPort6 }: MachineRulesInit): string[] {
  if (dnsPort === undefined) return []
  return [
    `meta nfproto ipv4 meta l4proto { tcp, udp } th dport 53 redirect to :${dnsPort}`,
    `meta nfproto ipv6 meta l4proto { tcp, udp } th dport 53 redirect to :${dnsPort6 ?? dnsPort}`,
  ]
}

function lines(rules: readonly string[]): string {
  return rules.join('\n    ')
}

function cidrSets(name: string, cidrs: readonly string[]): string {
  return ([4, 6] as const)
    .map((family) => {
      const own = cidrs.filter((cidr) => isIPv6(cidr.split('/')[0] ?? '') === (family === 6))
      const elements = own.length === 0 ? '' : `elements = { ${own.join(', ')} };`
      return `  set ${name}${family} { type ipv${family}_addr; flags interval; auto-merge; ${elements} }`
    })
    .join('\n')
}

function outsideElements(outside: readonly OutsideAddress[]): string {
  return ([4, 6] as const)
    .flatMap((family) => {
      const own = outside.filter(({ host }) => isIPv6(host) === (family === 6))
      const elements = [...new Set(own.map(({ host, port }) => `${host} . ${port}`))].join(', ')
      return elements === '' ? [] : [`add element inet ${TABLE} nodes${family} { ${elements} }`]
    })
    .join('\n')
}
