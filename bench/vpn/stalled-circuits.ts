import { silentLogger, systemClock, systemRandom } from '@weft/core'
import { type ClientCircuit, ClientCircuits, LinkSet, Session, type Link } from '@weft/onion'
import { Alarm } from '../../packages/vpn/src/engine/alarm.ts'
import { FlushQueue } from '../../packages/vpn/src/engine/flush-queue.ts'
import { SessionDriver } from '../../packages/vpn/src/engine/session-driver.ts'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import { openUdpPort } from '../../packages/vpn/src/udp/open-udp-port.ts'
import type { UdpPort } from '../../packages/vpn/src/udp/udp-port.ts'
import type { HttpTarget } from './http-target.ts'

/** Bytes of each download: far more than all windows on the way take. */
const ENDLESS = 1_000_000_000
/** Stalled is what has not moved for so long, ms; and the time until then at most. */
const STILL_MS = 2_000
const MOST_MS = 60_000
const LOOK_EVERY_MS = 100
const BUILD_MS = 30_000
/** A link of a client carries 64 circuits at most. */
export const CIRCUITS_PER_ENTRY = 50

export interface StallInit {
  readonly networkId: string
  readonly entries: readonly RouteMember[]
  readonly relay: RouteMember
  readonly exit: RouteMember
  readonly target: HttpTarget
  readonly circuits: number
}

/**
 * Circuits through one relay and one exit, each with a large download that its client begins and never takes in: it
 * acknowledges what its windows let come, and never opens them again.
 */
export class StalledCircuits implements AsyncDisposable {
  readonly #init: StallInit
  readonly #port: UdpPort
  readonly #queue: FlushQueue
  readonly #links: LinkSet
  readonly #circuits: ClientCircuits
  readonly #linkAlarm: Alarm
  readonly #circuitAlarm: Alarm
  readonly #drivers = new Set<SessionDriver>()
  #failure: Error | undefined

  private constructor(init: StallInit, port: UdpPort, queue: FlushQueue, links: LinkSet, circuits: ClientCircuits) {
    this.#init = init
    this.#port = port
    this.#queue = queue
    this.#links = links
    this.#circuits = circuits
    this.#linkAlarm = new Alarm(systemClock, () => {
      links.onTimeout()
      this.#turned()
    })
    this.#circuitAlarm = new Alarm(systemClock, () => {
      circuits.onTimeout()
      this.#turned()
    })
  }

  /** Resolves once nothing moves any more. @throws Error when a circuit is not made, or ends */
  static async open(init: StallInit): Promise<StalledCircuits> {
    const { networkId } = init
    const shared = { networkId, clock: systemClock, random: systemRandom }
    const circuits = new ClientCircuits(shared)
    const queue = new FlushQueue(() => port.flush())
    const links = new LinkSet({
      ...shared,
      listen: false,
      send: (bytes, to) => {
        port.send(bytes, to)
        queue.schedule()
      },
      onCell: (link, id, packet) => circuits.onCell(link, id, packet),
      onMessage: (link, command, id, content) => circuits.onMessage(link, command, id, content),
      onLink: (link, state) => {
        if (state === 'down') circuits.onLinkDown(link)
      },
    })
    const port = await openUdpPort({
      host: '127.0.0.1',
      port: 0,
      logger: silentLogger,
      onBatch: (count, packets, from) => {
        for (let at = 0; at < count; at++) {
          const [packet, endpoint] = [packets[at], from[at]]
          if (packet !== undefined && endpoint !== undefined) links.receive(packet, endpoint)
        }
        stalled.#turned()
      },
    })
    const stalled = new StalledCircuits(init, port, queue, links, circuits)
    try {
      await stalled.#stall()
      return stalled
    } catch (error) {
      await stalled[Symbol.asyncDispose]()
      throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const driver of this.#drivers) driver.close()
    this.#circuits.close()
    this.#port.flush()
    this.#links.close()
    this.#linkAlarm.clear()
    this.#circuitAlarm.clear()
    this.#port.close()
    return Promise.resolve()
  }

  async #stall(): Promise<void> {
    const { entries, circuits, target } = this.#init
    const links = entries.map(({ endpoint, linkKey }) => this.#links.connect(endpoint, linkKey, true))
    // One after the other: the handshakes are not what is measured.
    for (let made = 0; made < circuits; made++) {
      const at = Math.floor(made / CIRCUITS_PER_ENTRY)
      const [link, entry] = [links[at], entries[at]]
      if (link === undefined || entry === undefined) throw new Error(`${circuits} circuits need more entries`)
      this.#download(await this.#build(link, entry))
    }
    await stillness(target, () => this.#failure)
  }

  #build(link: Link, entry: RouteMember): Promise<{ circuit: ClientCircuit; onPacket: PacketTaker }> {
    const { relay, exit } = this.#init
    const { promise, resolve, reject } = Promise.withResolvers<{ circuit: ClientCircuit; onPacket: PacketTaker }>()
    const onPacket: PacketTaker = { take: () => {} }
    const circuit = this.#circuits.build({
      link,
      hops: [entry, relay, exit].map(({ key, onionKey }) => ({ id: key, onionKey })),
      timeoutMs: BUILD_MS,
      onReady: () => resolve({ circuit, onPacket }),
      onPacket: (number, payload) => onPacket.take(number, payload),
      onEnd: (reason, atHop) => {
        this.#failure = new Error(`a circuit ended at hop ${atHop} for reason ${reason}`)
        reject(this.#failure)
      },
    })
    this.#turned()
    return promise
  }

  #download({ circuit, onPacket }: { readonly circuit: ClientCircuit; readonly onPacket: PacketTaker }): void {
    const session = new Session({
      role: 'client',
      clock: systemClock,
      random: systemRandom,
      payloadLength: circuit.payloadLength,
      onWritable: () => driver.wake(),
      onClose: (code) => {
        this.#failure = new Error(`a session was closed with code ${code}`)
      },
    })
    const driver = new SessionDriver(session, this.#queue, systemClock)
    driver.carry(session.first, circuit)
    this.#drivers.add(driver)
    onPacket.take = (number, payload) => {
      session.receive(number, payload)
      driver.wake()
    }
    const stream = session.openStream({ host: '127.0.0.1', port: this.#init.target.port })
    stream.handler = {
      onRefused: (code) => {
        this.#failure = new Error(`the exit refused the target with code ${code}`)
      },
    }
    stream.write(new TextEncoder().encode(`GET /${ENDLESS} HTTP/1.1\r\nHost: bench\r\n\r\n`))
    driver.wake()
  }

  #turned(): void {
    this.#linkAlarm.set(this.#links.nextTimeout())
    this.#circuitAlarm.set(this.#circuits.nextTimeout())
    this.#queue.schedule()
  }
}

/** Set once there is a session to take packets. */
interface PacketTaker {
  take: (number: number, payload: Uint8Array) => void
}

/** Resolves when the target has not been able to send for a while. */
async function stillness(target: HttpTarget, failure: () => Error | undefined): Promise<void> {
  const deadline = performance.now() + MOST_MS
  let seen = target.sent
  let since = performance.now()
  while (performance.now() - since < STILL_MS) {
    const failed = failure()
    if (failed !== undefined) throw failed
    if (performance.now() > deadline) throw new Error('downloads that nobody takes in went on')
    await new Promise((again) => setTimeout(again, LOOK_EVERY_MS))
    if (target.sent === seen) continue
    seen = target.sent
    since = performance.now()
  }
}
