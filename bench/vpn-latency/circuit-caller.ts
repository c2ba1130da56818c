import { type Clock, silentLogger, systemClock, systemRandom } from '@weft/core'
import {
  type ClientCircuit,
  ClientCircuits,
  type Endpoint,
  LinkSet,
  type Packet,
  type Suites,
  circuitReasonText,
} from '@weft/onion'
import { loadSuites } from '../../packages/vpn/src/aead/load-suites.ts'
import { udpPaths } from '../../packages/vpn/src/carriage/udp-paths.ts'
import { Alarm } from '../../packages/vpn/src/engine/alarm.ts'
import { FlushQueue } from '../../packages/vpn/src/engine/flush-queue.ts'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import { openUdpPort } from '../../packages/vpn/src/udp/open-udp-port.ts'
import type { UdpPort, UdpPortOptions } from '../../packages/vpn/src/udp/udp-port.ts'

const TIMEOUT_MS = 5_000

/** ms. */
export interface BuildFigures {
  /** From the call that begins the circuit to its being ready. */
  readonly build: number
  /** To the exit and back, each. */
  readonly pings: readonly number[]
}

/** A client that builds circuits and nothing else: the links, circuits and UDP port of an engine, put together as there. */
export class CircuitCaller implements Disposable {
  readonly #clock: Clock = systemClock
  #port: UdpPort | undefined
  readonly #links: LinkSet
  readonly #circuits: ClientCircuits
  readonly #queue: FlushQueue
  readonly #alarms: readonly [Alarm, Alarm]

  /** @param host an address of this machine */
  static async open(networkId: string, host: string): Promise<CircuitCaller> {
    const suites = await loadSuites('auto', silentLogger)
    const caller = new CircuitCaller(networkId, suites)
    const onBatch: UdpPortOptions['onBatch'] = (count, packets, from) => {
      for (let at = 0; at < count; at++) caller.#links.receive(packets[at] as Packet, from[at] as Endpoint)
      caller.#turned()
    }
    caller.#port = await openUdpPort({ host, port: 0, logger: silentLogger, onBatch })
    return caller
  }

  private constructor(networkId: string, suites: Suites) {
    const clock = this.#clock
    const random = systemRandom
    this.#queue = new FlushQueue(() => this.#port?.flush())
    this.#circuits = new ClientCircuits({ networkId, clock, random, suites })
    this.#links = new LinkSet({
      networkId,
      clock,
      random,
      listen: false,
      suites,
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
      new Alarm(clock, () => {
        machine.onTimeout()
        this.#turned()
      })
    this.#alarms = [alarmOf(this.#links), alarmOf(this.#circuits)]
  }

  /** Builds a circuit, over a link to its entry that is made where there is none, pings its exit, and ends it. */
  async build(route: readonly RouteMember[], pings: number): Promise<BuildFigures> {
    const [entry] = route as readonly [RouteMember]
    let ponged: (ms: number) => void = () => {}
    const { promise: ready, resolve, reject } = Promise.withResolvers<number>()
    let failed: (error: Error) => void = reject
    const begun = performance.now()
    const circuit: ClientCircuit = this.#circuits.build({
      link: this.#links.connect(entry.endpoint, entry.linkKey, true, udpPaths(entry.endpoint)),
      hops: route.map(({ key, onionKey }) => ({ id: key, onionKey })),
      timeoutMs: TIMEOUT_MS,
      onReady: () => resolve(performance.now() - begun),
      onPong: (hop, ms) => {
        if (hop === route.length - 1) ponged(ms)
      },
      onEnd: (reason, hop) => failed(new Error(`the circuit ended at hop ${hop}: ${circuitReasonText(reason)}`)),
    })
    this.#turned()
    const build = await ready
    const times: number[] = []
    for (let count = 0; count < pings; count++) {
      const pong = Promise.withResolvers<number>()
      ponged = pong.resolve
      failed = pong.reject
      circuit.ping(route.length - 1)
      this.#turned()
      times.push(await pong.promise)
    }
    circuit.destroy()
    this.#turned()
    return { build, pings: times }
  }

  [Symbol.dispose](): void {
    this.#circuits.close()
    this.#port?.flush()
    this.#links.close()
    for (const alarm of this.#alarms) alarm.clear()
    this.#port?.close()
  }

  /** To be called after anything came or was asked for. */
  #turned(): void {
    this.#queue.schedule()
    this.#alarms[0].set(this.#links.nextTimeout())
    this.#alarms[1].set(this.#circuits.nextTimeout())
  }
}
