import { Resolver } from 'node:dns'
import { isServerName } from '@weft/bridge'
import { isDidKey } from '@weft/crypto'
import { CGROUP_PATH, USER_NAME, checkNetwork, parsePortRule } from '@weft/core'
import { SITES, SOURCES } from './resource-words.ts'
import { PRESET_NAMES, WORKING_ROLES } from './roles.ts'
import { type Setting, optional, setting } from './setting.ts'
import { byteSize, checked, integer, listOf, oneOf, text, yesNo } from './value-kind.ts'

const NAME = text(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'a name of 1 to 64 letters, digits, dots, dashes and underscores',
)
const PATH = text(/^[^\0]{1,4096}$/, 'a path; relative ones start at the home')
const MULTIADDR = text(/^\/[\x21-\x7e]{1,199}$/, 'a multiaddr such as "/ip4/192.0.2.1/tcp/4780"')
const HOST = text(/^[A-Za-z0-9.:[\]-]{1,253}$/, 'a host name or address, with a port where it is not the default one')
const PORT_RULE = checked(
  parsePortRule,
  'a rule CIDR:PORT such as 192.0.2.0/24:443, 127.0.0.1/32:8000-8999 or [2001:db8::/32]:*',
)
const CIDR = checked(checkNetwork, 'a CIDR such as 192.168.0.0/16 or fd00::/8')
const USER = text(USER_NAME, 'the name of a user of this machine, or its number')
const CGROUP = text(CGROUP_PATH, 'the path of a cgroup (v2) such as /system.slice/backup.service')
const NAME_SERVER = checked(
  (server) => new Resolver().setServers([server]),
  'ADDRESS or ADDRESS:PORT, with an IPv6 address in brackets before a port',
)
function requireDidKey(id: string): void {
  if (!isDidKey(id)) throw new RangeError('it is none')
}
function requireServerName(name: string): void {
  if (!isServerName(name)) throw new RangeError('it is none in lower case with a dot in it')
}
const MACHINE_WORDS = (most: number): ReturnType<typeof text> =>
  text(new RegExp(`^[!-~]([ -~]{0,${most - 2}}[!-~])?$`), `1 to ${most} printable ASCII characters`)
const MBPS = integer(0, 1_000_000, 'Mbit/s')
const MiB = 2 ** 20
const GiB = 2 ** 30

/** Every setting by its key in weft.toml (`section.name`), in the order of the docs. */
const SETTINGS = {
  'node.name': setting(
    NAME,
    'node',
    'Name of this node for its people; shown in the status, told to no other node.',
    'name',
  ),
  'node.preset': setting(oneOf(PRESET_NAMES), 'client', 'Named set of roles, used unless node.roles is set.', 'preset'),
  'node.roles': optional(
    listOf(oneOf(['client', ...WORKING_ROLES]), 10),
    'the roles of node.preset',
    'What this node offers to others. Every node is a client besides.',
    'roles',
  ),
  'node.family': optional(
    NAME,
    'a pseudonym derived from person.key',
    'Operator of this node. All nodes of one operator must name the same family: placement then never trusts two of them as if they were strangers.',
    'family',
  ),
  'node.country': setting(
    text(/^[A-Z]{2}$/, 'two capital letters (ISO 3166-1 alpha-2)'),
    'ZZ',
    'Country where this node stands, as declared; ZZ says nothing.',
  ),
  'node.asn': setting(
    integer(0, 2 ** 32 - 1, 'autonomous system number'),
    0,
    'Number of the network that this node is connected to the internet by, as declared; 0 says nothing. Your provider names it, and so does whois.',
  ),
  'node.region': setting(
    text(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name of 1 to 32 lower-case letters, digits and dashes'),
    'unknown',
    'Region where this node stands, as declared.',
  ),
  'node.bandwidth_mbps': optional(
    integer(1, 1_000_000, 'Mbit/s'),
    'the most that the network file asks of its roles',
    'Bandwidth each way that this node claims, in Mbit/s; validators measure it, and certify what they find. Roles that need more are left out.',
  ),
  'node.forward': setting(
    yesNo(),
    false,
    'Whether a client offers to forward for others. It then asks the validators for a lease, which they list for an hour at a time (`weft leases`); what forwards over such nodes is not there yet, so nothing comes over it in this version. Members forward by their roles.',
  ),
  'network.file': setting(PATH, 'network.json', 'The network file (genesis) of the network to join.', 'network'),
  'network.listen_host': setting(
    text(/^[0-9A-Fa-f.:]{2,39}$/, 'an IPv4 or IPv6 address'),
    '0.0.0.0',
    'Address on which nodes with a role listen for other nodes; :: takes IPv6 and IPv4, and is what counts where this is not set and others reach the node by IPv6 (network.announce, or the network file of a validator). In a simulated network always 127.0.0.1.',
  ),
  'network.announce': setting(
    listOf(MULTIADDR, 8),
    [],
    'Addresses to announce in place of those listened on, where a router or a proxy stands in between. Without any, a node that listens on all interfaces asks others where they reach it, and takes places at relays where they do not.',
  ),
  'ports.base': setting(
    integer(1, 65_530, 'TCP port'),
    7780,
    'First of six loopback ports: API, proxy, S3, apps, DNS, chain (API, proxy, S3 and DNS work in this version).',
    'base-port',
  ),
  'ports.public': setting(
    integer(1, 65_532, 'TCP port'),
    4780,
    'First of four public ports: overlay, overlay by WebSocket, packets (UDP and, at an entry, in TLS over TCP), and one that is reserved.',
    'public-port',
  ),
  'ports.packets': optional(
    integer(1, 65_535, 'UDP and TCP port'),
    'ports.public + 2',
    'Where an entry, relay or exit takes packets, by UDP; an entry takes them in TLS over TCP at the same number, for clients whose network lets no UDP through. An entry had better have 443: many such networks let TLS through there alone, and clients in them take entries at 443 first. The default is another number.',
  ),
  'api.allowed_hosts': setting(
    listOf(HOST, 16),
    [],
    'Values of the Host header that the API answers besides 127.0.0.1, localhost and [::1] with its port. Anything else is refused, so that a web page cannot reach the API by DNS rebinding.',
  ),
  'api.max_connections': setting(integer(8, 10_000, 'connections'), 256, 'Open connections to the API, per socket.'),
  'storage.quota': setting(
    byteSize(16 * MiB, 1024 * 2 ** 40),
    10 * GiB,
    'Most that this node keeps for others (role storage).',
  ),
  'storage.reserve': setting(
    byteSize(0, 1024 * 2 ** 40),
    GiB,
    'Free space that always stays on the disk: shards are refused before it is touched.',
  ),
  's3.server': setting(
    oneOf(['auto', 'on', 'off']),
    'auto',
    'Whether the S3 API of your buckets is up (ports.base + 2): on, off, or auto, which is on while there is a key (`weft s3 key create`). Without one it could answer nobody.',
  ),
  's3.listen_host': setting(
    text(/^[0-9A-Fa-f.:]{2,39}$/, 'an IPv4 or IPv6 address'),
    '127.0.0.1',
    'Address on which the S3 API listens. It speaks HTTP without TLS: on another address than that of loopback everybody on the way reads what goes over it, so put a proxy with TLS in front.',
  ),
  's3.domains': setting(
    listOf(text(/^[a-z0-9][a-z0-9.-]{0,251}[a-z0-9]$/, 'a name such as s3.example.org, in lower case'), 16),
    [],
    'Names below which the first label of the Host header is a bucket, besides localhost and s3.localhost. Clients that name the bucket in the path need none.',
  ),
  'vpn.proxy': setting(
    oneOf(['auto', 'on', 'off']),
    'auto',
    'Whether the proxy (SOCKS5 and HTTP CONNECT on 127.0.0.1, ports.base + 1) and its route are up from the start: on, off, or auto, which is on for a client in a simulated network and off elsewhere. `weft vpn up` and `weft vpn down` change it until the next start.',
  ),
  'vpn.dns': setting(
    oneOf(['on', 'off']),
    'on',
    'Whether names are answered by DNS (UDP and TCP on 127.0.0.1, ports.base + 4) while the proxy is up: each is asked for at the exit in use, over the route. A profile (`weft vpn profile`) may say otherwise. Programs use it only where they, or the system, are told to.',
  ),
  'vpn.suite': setting(
    oneOf(['auto', 'chacha20-poly1305']),
    'auto',
    'What seals links and the layers of circuits: auto takes AES-256-GCM with each neighbour and hop that computes it in hardware as this machine does, which takes less than half of the time a packet, and ChaCha20-Poly1305 with all others; hops learn which of both a client offers.',
  ),
  'vpn.workers': setting(
    integer(1, 16, 'threads'),
    1,
    'Threads that carry packets for others, each with links and circuits of its own behind the one UDP port (Linux). More than one pay off on machines with cores to spare only: on two cores one is as fast. Each takes some 20 MB. Not with exit.ip.',
  ),
  'vpn.carriage': setting(
    oneOf(['auto', 'udp', 'tls']),
    'auto',
    'What packets travel in between a client and its entry: udp, tls (TLS over TCP, slower, for networks that let no UDP through), or auto, which takes UDP where it is answered and TLS where only that is, and goes back by itself. `weft vpn status` shows which and why.',
  ),
  'vpn.tun': setting(
    oneOf(['on', 'off']),
    'off',
    'Whether the packets of the whole machine go through a route while the proxy is up (Linux, with root or CAP_NET_ADMIN). `weft vpn up --tun` does so once, and a profile (`weft vpn profile`) may say otherwise, as of all vpn.tun settings. With it on, rules that a killed daemon left keep the machine shut until the tunnel stands again, or `weft vpn down`.',
  ),
  'vpn.tun_exclude': setting(
    listOf(CIDR, 256),
    [],
    'Addresses whose packets do not go through the tunnel, such as those of the local network. Names are asked for at the exit all the same, where vpn.dns is on.',
  ),
  'vpn.tun_include': setting(
    listOf(CIDR, 256),
    [],
    'Addresses whose packets alone go through the tunnel; without any, all do.',
  ),
  'vpn.tun_exclude_users': setting(
    listOf(USER, 64),
    [],
    'Users of this machine whose programs do not go through the tunnel, by name or number. Their names are asked for outside as well.',
  ),
  'vpn.tun_exclude_cgroups': setting(
    listOf(CGROUP, 64),
    [],
    'Cgroups (v2) whose programs do not go through the tunnel, those below them included; paths as /proc/PID/cgroup has them. Their names are asked for outside as well. A cgroup has to be there before the tunnel is; one that is made anew under the same path is another one.',
  ),
  'vpn.tun_include_users': setting(
    listOf(USER, 64),
    [],
    'Users of this machine whose programs alone go through the tunnel, with those of vpn.tun_include_cgroups. Who is excluded as well does not. Beside vpn.tun_include, which holds for everybody, names of all are asked for at the exit.',
  ),
  'vpn.tun_include_cgroups': setting(
    listOf(CGROUP, 64),
    [],
    'Cgroups (v2) whose programs alone go through the tunnel, with those of vpn.tun_include_users. Programs of one that is removed and made anew, as that of a service is when it is started again, go outside until the tunnel is put up again.',
  ),
  'relay.limit_mbps': optional(
    integer(1, 1_000_000, 'Mbit/s'),
    'as much as the line and the machine carry',
    'Most that this node carries for others as entry, relay and exit, in Mbit/s each way: all that comes in for them goes out again. What is above it waits for its turn, each circuit for its own, or is dropped. Its own traffic, the overlay and storage do not count. Set it a little below what the line carries, so that packets wait here, where each circuit gets its share, and not in the line. It may not be below node.bandwidth_mbps.',
  ),
  'relay.padding': setting(
    oneOf(['off', 'standard', 'high']),
    'high',
    "Most that this node does against traffic analysis for others' circuits, whatever their clients ask for: `high`, `standard`, or `off` for no padding and no delays. A client is told which it gets. Padding is a node's own traffic beside what it carries: relay.padding_per_second bounds it.",
  ),
  'relay.padding_per_second': setting(
    integer(1, 1_000_000, 'cells a second'),
    4_000,
    "Padding cells that this node sends for others' circuits at most, all of them together; 4000 are 46 Mbit/s. Padding goes only where no packet has to wait. Circuits that want more than there is lose their tier, those that want most first, and their clients are told.",
  ),
  'receipts.mode': setting(
    oneOf(['on', 'off']),
    'off',
    'Whether this node pays the hops of its routes by blind tokens, and, as entry, relay or exit, wants to be paid for what it carries. All nodes of a route have to name an issuer in common: a client without tokens of one that a hop takes is cut off by it. docs/specs/receipts.md says how it goes.',
  ),
  'receipts.issuers': setting(
    listOf(checked(requireDidKey, "a node's id, as `weft id` prints it"), 4),
    [],
    'Nodes whose tokens this one spends and takes. Each is trusted to show all nodes the same key, and to take back what it issued.',
  ),
  'receipts.redeem_seconds': setting(
    integer(1, 86_400, 's'),
    600,
    'Time between two batches in which this node brings tokens that it was paid with back to their issuers, a quarter more or less. The longer it is, the less their times tell.',
  ),
  'receipts.issuer': setting(
    yesNo(),
    false,
    'Whether this node issues tokens to others and takes them back. No value stands behind them: they only limit who uses how much.',
  ),
  'receipts.quota': setting(
    integer(0, 10_000_000, 'tokens a day'),
    20_000,
    'Tokens that this issuer gives each member a day (UTC). One stands for 4 MiB, or a minute, at one hop; 20000 are 26 GiB over three hops.',
  ),
  'receipts.guest_quota': setting(
    integer(0, 10_000_000, 'tokens a day'),
    20_000,
    'Tokens that this issuer gives a day to all who are no members together, pure clients most of all: their ids cost nothing.',
  ),
  'exit.allow': setting(
    listOf(PORT_RULE, 64),
    [],
    'What an exit dials although it is no public address, or is port 25. Without rules an exit reaches public addresses only.',
    'exit-allow',
  ),
  'exit.deny': setting(listOf(PORT_RULE, 64), [], 'What an exit never dials, whatever exit.allow says.', 'exit-deny'),
  'exit.name_servers': setting(
    listOf(NAME_SERVER, 4),
    [],
    "Name servers that an exit asks for its users; without any, the system's. What they answer, strangers hear: where the system's know names of an internal network, set public ones.",
  ),
  'exit.ip': setting(
    oneOf(['on', 'off']),
    'off',
    "Whether an exit carries IP packets of its users' whole machines besides TCP, UDP and names (`weft vpn up --tun`). It needs root, or CAP_NET_ADMIN, on Linux: the exit makes an interface and an nftables table of its own, and forwards and masquerades by them. Exits that do not are not asked twice.",
  ),
  'bridge.enabled': setting(
    yesNo(),
    false,
    'Whether this node is a bridge: to who was invited (`weft bridge invite`) it leads streams to members of its network, to all others it is a web server. It has to be a client, so that its address stands in no map. docs/security.md says what it sees.',
  ),
  'bridge.port': setting(
    integer(1, 65_535, 'TCP port'),
    443,
    'Where a bridge takes calls, on network.listen_host. 443 is let through most often.',
  ),
  'bridge.address': optional(
    text(/^[0-9A-Fa-f.:]{2,39}$/, 'an IPv4 or IPv6 address'),
    'network.listen_host, where that is one address',
    'At which address clients reach this bridge: it stands in the lines of its invitations.',
  ),
  'bridge.server_name': optional(
    checked(requireServerName, 'a name such as www.example.org'),
    'clients say none',
    'Name that clients of this bridge say in TLS, in the clear, and that its own certificate has. They never look it up; it should lead to the address of the bridge all the same, since a censor may.',
  ),
  'bridge.certificate': optional(
    PATH,
    'a certificate of its own, signed by itself',
    'Certificate of this bridge, PEM, with those that lead to its authority. Clients know its key, and do without the authority; a stranger sees it. Renew it with the same key: lines name that.',
  ),
  'bridge.certificate_key': optional(PATH, 'a key of its own', 'The key of bridge.certificate, PEM.'),
  'bridge.page': optional(
    PATH,
    'nothing stands there: 404, as at many servers',
    'HTML file that strangers get from a bridge at /. No two bridges should have the same one.',
  ),
  'bridge.limit_mbps': optional(
    integer(1, 1_000_000, 'Mbit/s'),
    'as much as the line and the machine carry',
    'Most that a bridge carries, in Mbit/s, both ways together; those who use it at a time have equal shares.',
  ),
  'resources.site': optional(
    oneOf(SITES),
    'nothing of [resources] is published',
    'Where the machine of a node with a role stands. With it the certificate of the node says what [resources] has, for everybody to read and unchecked, so that other networks can find capacity to buy.',
  ),
  'resources.provider': optional(MACHINE_WORDS(64), 'nothing is said of it', 'Who runs the site.'),
  'resources.hardware': optional(MACHINE_WORDS(128), 'nothing is said of it', 'The machine in words.'),
  'resources.cores': optional(integer(0, 2 ** 16, 'processor cores'), 'nothing is said of it', 'Processor cores.'),
  'resources.accelerators': optional(integer(0, 2 ** 10, 'devices'), 'nothing is said of it', 'GPUs and the like.'),
  'resources.memory': optional(
    byteSize(0, 1024 * 2 ** 40),
    'nothing is said of it',
    'Main memory. What the node keeps for others is not set here: it is storage.quota, where it has the role storage.',
  ),
  'resources.upload_mbps': optional(MBPS, 'nothing is said of it', 'Mbit/s from this node to others, sustained.'),
  'resources.download_mbps': optional(MBPS, 'nothing is said of it', 'Mbit/s from others to this node, sustained.'),
  'resources.grid': optional(
    text(/^[A-Z]{2}(-[A-Z0-9]{1,8}){0,2}$/, 'a country (ISO 3166-1), or a zone of its grid such as "US-TEX-ERCO"'),
    'nothing is said of it',
    'The grid that the power comes from.',
  ),
  'resources.energy': optional(
    oneOf(SOURCES),
    'nothing is said of it',
    'What the power is made from; mix is whatever the grid has.',
  ),
  'resources.carbon': optional(
    integer(0, 2_000, 'gCO2/kWh'),
    'nothing is said of it',
    'What a kWh of it takes, as a yearly mean. Grid, energy and carbon are published as declared.',
  ),
  'resources.attestation': optional(
    text(/^weft-attest-[A-Za-z0-9_-]{1,512}$/, 'the line that weft network attest printed'),
    'grid, energy and carbon are declared',
    'What an attester of the network signed of the power of this node. It is published as attested in each certificate of the node that ends before it does (a day by default), and what it said as declared in later ones; grid, energy and carbon are not read beside it.',
  ),
  'log.level': setting(
    oneOf(['debug', 'info', 'warn', 'error']),
    'info',
    'Least severe lines that are logged. Stacks of errors are logged at debug only.',
  ),
  'log.target': setting(
    oneOf(['file', 'stderr']),
    'file',
    'Where the log goes: logs/daemon.log in the home, or stderr (for systemd and containers).',
  ),
  'log.file_size': setting(byteSize(64 * 1024, GiB), 8 * MiB, 'Size at which the log file is rotated.'),
  'log.files': setting(integer(1, 100, 'files'), 4, 'Log files that are kept, the current one included.'),
} as const satisfies Record<string, Setting<never> | Setting<unknown>>

export type SettingKey = keyof typeof SETTINGS
export const SETTING_KEYS = Object.keys(SETTINGS) as SettingKey[]

type ValueOf<S> = S extends { readonly kind: { parse(value: unknown): infer T }; readonly fallback: infer F }
  ? T | (undefined extends F ? undefined : never)
  : never

/** The value of every setting. */
export type SettingValues = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> }

/** The environment variable of a setting: `WEFT_` and the key in capitals, e.g. WEFT_PORTS_BASE. */
export function variableOf(key: SettingKey): string {
  return `WEFT_${key.toUpperCase().replace('.', '_')}`
}

/** The setting as its readers see it, whatever its type. */
export function settingOf(key: SettingKey): Setting<unknown> {
  return SETTINGS[key]
}
