import { identifyProcess, orAborted, Scope, systemClock, systemRandom, throwIfAborted, toHex } from '@weft/core'
import { loadOrCreateKey } from '@weft/crypto'
import { issueAttestation, networkOf, readNetworkFile } from '@weft/overlay'
import type { Config } from '../config/load-config.ts'
import { EventRing } from '../events/event-ring.ts'
import { TransferLog } from '../events/transfer-log.ts'
import { feedEvents } from '../events/feed-events.ts'
import { bridgeChecks } from '../health/bridge-check.ts'
import { watchFaults } from '../health/fault-watch.ts'
import { distinctFaults } from '../health/distinct-faults.ts'
import { networkChecks } from '../health/network-checks.ts'
import { nodeChecks } from '../health/node-checks.ts'
import { createApi } from '../http/create-api.ts'
import { dashboardDirectory } from '../http/dashboard-directory.ts'
import { LinkFiles } from '../http/link-files.ts'
import { Listeners } from '../http/listeners.ts'
import { RequestCounters } from '../http/request-counters.ts'
import { SessionStore } from '../http/session-store.ts'
import { staticFiles } from '../http/static-files.ts'
import { TokenStore } from '../http/token-store.ts'
import type { DaemonLog } from '../log/daemon-log.ts'
import type { ApiServices } from '../routes/api-services.ts'
import { createRoutes } from '../routes/create-routes.ts'
import { S3, S3Door } from '../s3/s3-door.ts'
import { S3Keys } from '../s3/s3-keys.ts'
import { VERSION } from '../version.ts'
import { MainThreadWatch } from '../watch/main-thread-watch.ts'
import type { Components } from './components.ts'
import { Departure } from './departure.ts'
import { writeDaemonFile } from './daemon-file.ts'
import { HomeLock } from './home-lock.ts'
import { joinTokenFor } from './join-token-for.ts'
import { type OpenLog, openLog } from './open-log.ts'
import { DNS, PROXY } from './open-proxy.ts'
import { openBridges } from './open-bridges.ts'
import { loadPacketKeys } from './packet-keys.ts'
import { readAdmissionProof } from './read-admission-proof.ts'
import { startBridge } from './start-bridge.ts'
import { startNetwork } from './start-network.ts'
import { type StatePaths, openStateDirectory } from './state-directory.ts'

/** A daemon that answers. */
export interface Daemon extends AsyncDisposable {
  readonly id: string
  readonly home: string
  readonly log: DaemonLog
  /** Its ports, by what they serve; those of the proxy, S3 and DNS also while they are not up. */
  readonly ports: Readonly<Record<string, number>>
  /** Ends everything in reverse order; what is under way gets a few seconds to end. */
  close(): Promise<void>
}

export interface DaemonOptions {
  readonly config: Config
  readonly loadComponents: () => Promise<Components>
  /** Called when a client of the API asks the daemon to stop. */
  readonly onStop: () => void
  /** Ends a start that is under way; what it opened is closed. A daemon that answers is ended by its `close`. */
  readonly signal: AbortSignal
}

/**
 * The composition root: acquires everything of a daemon in order and hands it back when its API answers. What fails on
 * the way closes what was open.
 * @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL, E_SOCKET_PATH, E_ALREADY_RUNNING, E_KEY_FILE, E_PORT_TAKEN,
 * E_NETWORK_FILE_MISSING, E_ADMISSION_PROOF, E_S3_KEYS_FILE and those of the network file, the overlay and the storage; E_ABORTED
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const paths = openStateDirectory(options.config.home)
  using held = new DisposableStack()
  held.use(await HomeLock.acquire(paths.lock, paths.home))
  const open = held.use(openLog(options.config, paths))
  const scope = new Scope({ name: 'daemon', logger: open.log })
  const state = held.move()
  scope.defer('home', () => state.dispose())
  try {
    return await composeDaemon(options, paths, open, scope)
  } catch (error) {
    if (options.signal.aborted) open.log.info('the daemon stops while it starts')
    else open.log.failure('the daemon did not start', error)
    await scope.close()
    throw error
  }
}

async function composeDaemon(
  { config, loadComponents, onStop, signal }: DaemonOptions,
  paths: StatePaths,
  { log, dropped }: OpenLog,
  scope: Scope,
): Promise<Daemon> {
  const { values } = config
  const startedAt = systemClock.now()
  log.info('the daemon starts', { version: VERSION, pid: process.pid, home: paths.home, roles: config.roles })
  const [node, person] = [loadOrCreateKey(paths.nodeKey), loadOrCreateKey(paths.personKey)]
  const { file: networkFile } = readNetworkFile(config.networkFile)
  const packets = loadPacketKeys({ roles: config.roles, paths, networkFile, clock: systemClock, logger: log })
  const keys = { node, person, packets }
  const listeners = scope.use(
    'API doors',
    await Listeners.open({
      socketPath: paths.socket,
      port: values['ports.base'],
      maxConnections: values['api.max_connections'],
    }),
  )
  const bridges = openBridges(config, paths, log)
  const components = await orAborted(loadComponents(), signal)
  const { overlay, storage, vpn, profiles, energy, overlayPort, webSocketPort, packetsPort, listen } =
    await startNetwork({
      config,
      components,
      paths,
      keys,
      networkFile,
      proof: readAdmissionProof(paths.proof),
      bridges,
      log,
      scope,
      signal,
    })
  throwIfAborted(signal)
  const bridgeRole = await startBridge({ config, paths, networkFile, overlay, clock: systemClock, log, scope })

  const s3Keys = new S3Keys(paths.s3Keys, keys.person, systemClock)
  const { buckets } = storage
  const s3 = scope.use(
    'S3 server',
    await S3Door.open({ values, keys: s3Keys, buckets, person: keys.person.id, clock: systemClock, logger: log }),
  )

  const ports = {
    api: listeners.port,
    proxy: values['ports.base'] + PROXY,
    s3: values['ports.base'] + S3,
    dns: values['ports.base'] + DNS,
    ...(overlayPort === undefined ? {} : { overlay: overlayPort }),
    ...(webSocketPort === undefined ? {} : { overlayWebSocket: webSocketPort }),
    ...(packetsPort === undefined ? {} : { packets: packetsPort }),
    ...(bridgeRole === undefined ? {} : { bridge: bridgeRole.status().port }),
  }
  const events = new EventRing(toHex(systemRandom.bytes(4)))
  const transfers = new TransferLog()
  const checks: ApiServices['checks'] = () => [
    // First, since nothing is reached without it: what to do about the others then stands there.
    ...bridgeChecks(bridges?.dialer),
    ...nodeChecks({ home: paths.home, overlay, storage, vpn, droppedLines: dropped }),
    ...networkChecks({
      overlay,
      networkFile,
      roles: config.roles,
      ports,
      listen,
      storageQuota: values['storage.quota'],
      energy,
    }),
  ]
  const faults: ApiServices['faults'] = () => distinctFaults(checks())
  feedEvents({ overlay, storage, vpn, ring: events, transfers, clock: systemClock, scope })
  scope.use(
    'fault watch',
    watchFaults(systemClock, faults, (now) => {
      events.add('status', { faults: now })
      log.info('what is not healthy changed', { faults: now.map(({ code, cause }) => ({ code, cause })) })
    }),
  )

  const network = networkOf(networkFile)
  const services: ApiServices = {
    home: paths.home,
    name: values['node.name'],
    startedAt,
    ids: { node: keys.node.id, person: keys.person.id },
    network: { id: overlay.networkId, name: networkFile.name, simulated: networkFile.simulated !== undefined },
    networkFile,
    invite: (limits) => joinTokenFor({ network: networkFile, keys: [keys.node, keys.person], overlay, limits }),
    attesters: network,
    attest: (claim) => issueAttestation(network, [keys.node, keys.person], claim),
    roles: ['client', ...config.roles],
    ports,
    overlay,
    departure: new Departure(overlay, scope, log),
    storage,
    archives: storage.archives,
    buckets,
    s3,
    vpn,
    profiles,
    bridges,
    bridgeRole,
    tokens: new TokenStore(paths.tokens, systemClock),
    sessions: new SessionStore(systemClock),
    linkFiles: scope.use('link files', new LinkFiles(paths.links, systemClock)),
    events,
    transfers,
    counters: new RequestCounters(),
    // From here on: that loading the code takes longer than a block may is no news.
    watch: scope.use('main thread watch', new MainThreadWatch(log)),
    clock: systemClock,
    logger: log,
    checks,
    faults,
    stop: onStop,
    stopping: scope.signal,
  }
  const app = await createApi({
    routes: createRoutes(services),
    listeners,
    authentication: { tokens: services.tokens, sessions: services.sessions, port: ports.api },
    moreHosts: values['api.allowed_hosts'],
    counters: services.counters,
    logger: log,
    staticFile: staticFiles(dashboardDirectory()),
  })
  listeners.serve((request, response) => app.routing(request, response))
  // Registered last, so that requests under way end while what they use is still there.
  scope.defer('API', () => listeners.close())
  const file = {
    schemaVersion: 1,
    pid: process.pid,
    startTime: identifyProcess(process.pid)?.startTime,
    version: VERSION,
    ports,
  } as const
  scope.use('daemon.json', writeDaemonFile(paths.daemonFile, paths.home, file))
  log.info('the daemon is ready', { id: keys.node.id, ports, afterMs: Math.round(systemClock.now() - startedAt) })
  return {
    id: keys.node.id,
    home: paths.home,
    log,
    ports,
    close: () => scope.close(),
    [Symbol.asyncDispose]: () => scope.close(),
  }
}
