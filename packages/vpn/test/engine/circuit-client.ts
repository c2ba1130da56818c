import { silentLogger, systemClock, systemRandom } from '@weft/core'
import {
  type ClientCircuit,
  type ClientCircuitOptions,
  ClientCircuits,
  type Endpoint,
  LinkSet,
  type Packet,
  type Suites,
} from '@weft/onion'
import { loadSuites } from '../../src/aead/load-suites.ts'
import { udpPaths } from '../../src/carriage/udp-paths.ts'
import { Alarm } from '../../src/engine/alarm.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { PathSet, type PathSetEvents } from '../../src/engine/path-set.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { openUdpPort } from '../../src/udp/open-udp-port.ts'
import type { UdpPort, UdpPortOptions } from '../../src/udp/udp-port.ts'

/** Links, circuits and UDP port of a client, put together as an engine has them, so that one has circuits and path sets in hand. */
export class CircuitClient implements Disposable {
  readonly #links: LinkSet
  readonly #circuits: ClientCircuits
  readonly #queue: FlushQueue
  readonly #alarms: readonly [Alarm, Alarm]
  #port: UdpPort | undefined

  /** @param host an address of this machine */
  static async open(networkId: string, host: string): Promise<CircuitClient> {
    const client = new CircuitClient(networkId, await loadSuites('auto', silentLogger))
    const onBatch: UdpPortOptions['onBatch'] = (count, packets, from) => {
      for (let at = 0; at < count; at++) client.#links.receive(packets[at] as Packet, from[at] as Endpoint)
      client.turned()
    }
    client.#port = await openUdpPort({ host, port: 0, logger: silentLogger, onBatch })
    return client
  }

  private constructor(networkId: string, suites: Suites) {
    const parts = { networkId, clock: systemClock, random: systemRandom, suites }
    this.#queue = new FlushQueue(() => this.#port?.flush())
    this.#circuits = new ClientCircuits(parts)
    this.#links = new LinkSet({
      ...parts,
      listen: false,
      send: (bytes, to) => {
        this.#port?.send(bytes, to)
        this.#queue.schedule()
      },
      onCell: (link, circuitId, packet) => this.#circuits.onCell(link, circuitId, packet),
      onMessage: (link, command, circuitId, content) => this.#circuits.onMessage(link, command, circuitId, content),
      onLink: (link, state) => {
        if (state === 'down') this.#circuits.onLinkDown(link)
      },
    })
    const alarmOf = (machine: LinkSet | ClientCircuits): Alarm =>
      new Alarm(systemClock, () => {
        machine.onTimeout()
        this.turned()
      })
    this.#alarms = [alarmOf(this.#links), alarmOf(this.#circuits)]
  }

  /** Begins a circuit over these hops, over a link to the entry that is made where there is none. */
  build(hops: readonly RouteMember[], options: Omit<ClientCircuitOptions, 'link' | 'hops'>): ClientCircuit {
    const circuit = this.#circuits.build({
      ...options,
      link: this.#linkTo(hops[0] as RouteMember),
      hops: hops.map(({ key, onionKey }) => ({ id: key, onionKey })),
    })
    this.turned()
    return circuit
  }

  /** One leg over these hops; not started. */
  pathSet(hops: readonly RouteMember[], events: PathSetEvents = {}): PathSet {
    // Once it is started, within this turn.
    setImmediate(() => this.turned())
    return new PathSet({
      ...events,
      hops,
      circuits: this.#circuits,
      queue: this.#queue,
      clock: systemClock,
      random: systemRandom,
      linkTo: (entry) => this.#linkTo(entry),
      moreHops: () => undefined,
    })
  }

  /** To be called after anything was asked of a circuit. */
  turned(): void {
    this.#queue.schedule()
    this.#alarms[0].set(this.#links.nextTimeout())
    this.#alarms[1].set(this.#circuits.nextTimeout())
  }

  [Symbol.dispose](): void {
    this.#circuits.close()
    this.#port?.flush()
    this.#links.close()
    for (const alarm of this.#alarms) alarm.clear()
    this.#port?.close()
  }

  #linkTo({ endpoint, linkKey }: RouteMember) {
    return this.#links.connect(endpoint, linkKey, true, udpPaths(endpoint))
  }
}
