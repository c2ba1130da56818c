/** What one package may import: the names of packages, without the scope. */
export type LayerTable = Readonly<Record<string, readonly string[]>>

const FOUNDATION = ['core']
const PURE = [...FOUNDATION, 'crypto', 'wire']
const NETWORK = [...PURE, 'onion', 'erasure']
const DOMAIN = [...NETWORK, 'bridge', 'overlay', 'ledger']
const DOMAINS = ['vpn', 'storage', 'messaging', 'apps', 'services', 'compute', 'validation']

/**
 * The layers of docs/architecture.md: each package with all that it may import. A package that is missing here may
 * not exist. The sources of a package include its tests, which may use `devnet` besides.
 */
export const LAYERS: LayerTable = {
  core: [],
  crypto: FOUNDATION,
  wire: FOUNDATION,
  onion: PURE,
  erasure: PURE,
  bridge: [...FOUNDATION, 'crypto'],
  overlay: NETWORK,
  ledger: NETWORK,
  vpn: DOMAIN,
  storage: DOMAIN,
  messaging: DOMAIN,
  apps: DOMAIN,
  services: DOMAIN,
  compute: DOMAIN,
  validation: DOMAIN,
  // In front of what storage is, by its types alone; node hands the two to each other.
  s3: [...FOUNDATION, 'storage'],
  node: [...DOMAIN, ...DOMAINS, 's3'],
  // Beside node: it writes the network file and the nodes' keys, and starts node's daemon as a process.
  devnet: [...DOMAIN, ...DOMAINS],
  cli: [...FOUNDATION, 'bridge', 'node', 'devnet'],
  dashboard: FOUNDATION,
  sdk: [...PURE, 'devnet'],
}

export interface EntryException {
  readonly path: RegExp
  readonly may: readonly string[]
  /** Only for imports of types, of which nothing is left at run time. */
  readonly typesOnly?: boolean
}

/** Files (by their path) that may import more than the table says. */
export const ENTRY_EXCEPTIONS: readonly EntryException[] = [
  // The shapes of the HTTP API's answers, which stand where they are made.
  { path: /^packages\/dashboard\/src\//, may: ['node'], typesOnly: true },
  // The browser's own client node, loaded on demand.
  { path: /^packages\/sdk\/src\/light(\/|\.ts$)/, may: ['overlay', 'onion', 'messaging'] },
]

/** What the tests of any package may import besides: a network to run against. */
export const TESTS_MAY: readonly string[] = ['devnet']
