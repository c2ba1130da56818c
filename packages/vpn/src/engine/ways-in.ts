import type { Clock, Logger, Random } from '@weft/core'
import { DNS_STREAM, IP_CHANNEL } from '@weft/onion'
import type { RouteProfile } from '../profile/route-profile.ts'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import { findPrograms } from '../tun/split-programs.ts'
import type { VpnStatus } from '../vpn.ts'
import type { ClientRoutes } from './client-routes.ts'
import type { EngineInit, MachineWays } from './engine-init.ts'
import type { FlushQueue } from './flush-queue.ts'
import { DEFAULT, type IsolatedRoutes, TUN_ROUTES } from './isolated-routes.ts'
import { LocalDns } from './local-dns.ts'
import { NameLookups } from './name-lookups.ts'
import { ProxyServer } from './proxy-server.ts'
import { latestFailures } from './refused-packets.ts'
import type { TakeStream, WriteEarly } from './stream-opener.ts'
import type { ThroughputMeter } from './throughput-meter.ts'
import { TunClient, carriesForOthers } from './tun-client.ts'

export interface WaysInInit {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly queue: FlushQueue
  readonly routes: IsolatedRoutes
  readonly meter: ThroughputMeter
  readonly proxy: EngineInit['proxy']
  readonly stateFile: EngineInit['tun']['stateFile']
  /** A node that does so cannot lead its machine through its own routes. */
  readonly carriesForOthers: boolean
  readonly isolation: () => RouteProfile['isolation']
  /** Marks what this node sends, so that its own tunnel and kill switch let it out; false where that is not permitted. */
  readonly mark: () => boolean
  readonly onChange: () => void
}

/** What leads programs and the machine into the routes of this client: the proxy, with it DNS, and the tunnel. */
export class WaysIn {
  readonly #init: WaysInInit
  readonly #names: NameLookups
  #server: ProxyServer | undefined
  #port = 0
  #dns: LocalDns | undefined
  #tun: TunClient | undefined
  /** Of proxies before: counts never fall, and why something failed is read behind its end, too. */
  #before: Pick<VpnStatus, 'streams' | 'failures'> = { streams: { open: 0, opened: 0, failed: 0 }, failures: [] }
  /** When the last up or down is done. */
  #turn: Promise<void> = Promise.resolve()
  /** Where connections of the overlay lead. */
  #outside: readonly OutsideAddress[] = []
  #closed = false

  constructor(init: WaysInInit) {
    this.#init = init
    this.#names = new NameLookups(init)
  }

  get isUp(): boolean {
    return this.#server !== undefined
  }

  get status(): Pick<VpnStatus, 'proxy' | 'dns' | 'tun' | 'streams' | 'failures'> {
    return {
      proxy: this.#server === undefined ? undefined : { host: this.#init.proxy.host, port: this.#port },
      dns: this.#dns?.endpoint,
      tun: this.#tun?.status,
      ...this.#requests(),
    }
  }

  /** Addresses to which this daemon makes connections that are not to go through its own tunnel. */
  setOutside(outside: readonly OutsideAddress[]): void {
    this.#outside = outside
    this.#tun?.setOutside(outside)
  }

  /**
   * Starts the proxy, with it DNS, and builds a route; and leads the whole machine through one where that is wanted. Where that fails all is as
   * it was before: a proxy that stood goes on, and with it its DNS and a tunnel as they were opened.
   * @throws WeftError E_PORT_TAKEN, E_LISTEN_FAILED, E_TUN_ROLES, E_TUN_SPLIT, E_TUN_UNAVAILABLE, E_TUN_TAKEN
   */
  up(tun: boolean, ways: MachineWays): Promise<void> {
    return this.#inTurn(() => this.#up(tun, ways))
  }

  /** Ends the proxy, what runs over it, and the routes. */
  down(): Promise<void> {
    return this.#inTurn(() => this.#down())
  }

  /** Ends all, for good. */
  close(): Promise<void> {
    this.#closed = true
    return this.down()
  }

  /** New streams of these routes take another path set: what lasts follows. @param name as `IsolatedRoutes` has it */
  onMoved(name: string, routes: ClientRoutes): void {
    this.#names.moved(routes)
    if (name === this.#namesGoOver) this.#dns?.moved()
    if (name === TUN_ROUTES) this.#tun?.moved()
  }

  /** The routes to the exit that a name is asked at: the one that its address is for, as far as there is one. */
  get #namesGoOver(): string {
    return this.#tun === undefined ? DEFAULT : TUN_ROUTES
  }

  /** One after another: what is half open is nothing to build on, nor to end. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step)
    this.#turn = done.catch(() => {})
    return done
  }

  async #up(tun: boolean, ways: MachineWays): Promise<void> {
    if (this.#closed) return
    if (tun && this.#init.carriesForOthers) throw carriesForOthers()
    const stood = this.#server !== undefined
    // Before a route is built: rules that a daemon left, which was killed, let nothing else out.
    if (tun) this.#init.mark()
    if (!stood) await this.#openProxy(ways.dns)
    if (!tun || this.#tun !== undefined) return
    try {
      await this.#openTun(ways.tun)
    } catch (error) {
      if (stood) await this.#dns?.endIPv6()
      else await this.#down()
      throw error
    }
  }

  async #openTun({ exclude, include, places, ...programs }: MachineWays['tun']): Promise<void> {
    const { clock, logger, queue, routes: isolated, stateFile, mark, onChange } = this.#init
    const excludePrograms = await findPrograms(programs.excludePrograms, places.exclude)
    const includePrograms = await findPrograms(programs.includePrograms, places.include)
    this.#tun = await TunClient.up({
      clock,
      logger,
      queue,
      exclude,
      include,
      excludePrograms,
      includePrograms,
      stateFile,
      outside: this.#outside,
      dnsPort: this.#dns?.endpoint.port,
      dnsPort6: await this.#dns?.beginIPv6(),
      uid: process.getuid?.() ?? 0,
      open: (signal, take) => {
        const routes = isolated.of(TUN_ROUTES)
        return routes.open(IP_CHANNEL, signal, (stream, paths) => {
          // Names are asked for where their addresses will be called from.
          routes.prefer(paths)
          this.#dns?.moved()
          take(stream, paths)
          // That of before ends when nothing else goes over it.
          routes.keep()
        })
      },
      isLeft: (paths) => isolated.of(TUN_ROUTES).isLeft(paths),
      markPort: mark,
      onChange,
    })
    this.#dns?.moved()
  }

  async #openProxy(dns: MachineWays['dns']): Promise<void> {
    const { clock, queue, proxy, routes, meter, onChange } = this.#init
    const server = new ProxyServer({
      queue,
      clock,
      open: async (target, isolation, signal, take) =>
        this.#routesOf(isolation, target.host).open(target, signal, take),
      resolve: async (request) => this.#names.resolve(request, this.#routesOf(request.isolation, request.host)),
    })
    this.#server = server
    try {
      this.#port = await server.listen(proxy.host, proxy.port)
      if (dns !== undefined) this.#dns = await this.#openDns(dns)
    } catch (error) {
      this.#server = undefined
      await server.close()
      throw error
    }
    routes.of(undefined).keep()
    meter.start()
    onChange()
  }

  /** @param isolation the credentials of a request of the proxy, as its parser gives them. @throws WeftError E_PROXY_FULL */
  #routesOf(isolation: string | undefined, host: string): ClientRoutes {
    const { routes } = this.#init
    const kept = this.#init.isolation()
    // Datagrams have no destination before the first of them: they go over the routes of all others.
    if (kept === 'destination' && isolation === undefined && host !== '') return routes.toDestination(host)
    return routes.of(kept === 'none' ? undefined : isolation)
  }

  async #down(): Promise<void> {
    const { streams, failures } = this.#requests()
    this.#before = { streams: { ...streams, open: 0 }, failures }
    const server = this.#server
    const dns = this.#dns
    const tun = this.#tun
    this.#server = undefined
    this.#dns = undefined
    this.#tun = undefined
    await Promise.all([server?.close(), dns?.close(), tun?.down()])
    this.#init.routes.close()
    this.#init.meter.stop()
    this.#init.onChange()
  }

  #openDns({ host, port }: { readonly host: string; readonly port: number }): Promise<LocalDns> {
    const { clock, random, routes } = this.#init
    const open = (signal: AbortSignal, take: TakeStream, writeEarly: WriteEarly): Promise<void> =>
      routes.of(this.#namesGoOver).open(DNS_STREAM, signal, take, writeEarly)
    return LocalDns.listen({ clock, random, open }, host, port)
  }

  #requests(): Pick<VpnStatus, 'streams' | 'failures'> {
    const { streams, failures } = this.#before
    if (this.#server === undefined) return this.#before
    const { open, opened, failed } = this.#server.counts
    return {
      streams: { open, opened: streams.opened + opened, failed: streams.failed + failed },
      failures: latestFailures(this.#tun?.failures ?? [], this.#server.failures, failures),
    }
  }
}
