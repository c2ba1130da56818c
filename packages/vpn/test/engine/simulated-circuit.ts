import { type Clock, type Random, randomInt } from '@weft/core'
import {
  type ClientCircuit,
  type ClientCircuitOptions,
  type Join,
  Session,
  type SessionLeg,
  type SessionStream,
  readJoin,
} from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { SessionDriver } from '../../src/engine/session-driver.ts'

const PAYLOAD = 1_329

/** What the link to a hop does to cells, in both directions. */
export interface LinkOfHop {
  /** Part that is lost. */
  loss: number
  delayMs: number
  /** Nothing goes over it. */
  isCut: boolean
}

interface Counted {
  opened: number
  passed: number
  came: number
  sent: number
}

const DELAY_MS = 10

/** A circuit without cryptography: its hops count and answer as real ones do, over links that lose and delay. */
export class SimulatedCircuit {
  /** By hop, that to the entry first. */
  readonly links: readonly LinkOfHop[]
  readonly payloadLength = PAYLOAD
  readonly suites: readonly undefined[] = []
  isOver = false
  /** Rounds of questions. */
  rounds = 0
  readonly #options: ClientCircuitOptions
  readonly #exit: SimulatedExit
  readonly #clock: Clock
  readonly #random: Random
  readonly #hops: Counted[]
  readonly #sealed: number[]
  readonly #sealedForHop: number[]
  readonly #opened: number[]
  readonly #asked: number[]
  readonly #answered: number[]
  #place = 0
  #leg: SessionLeg | undefined

  constructor(options: ClientCircuitOptions, exit: SimulatedExit, clock: Clock, random: Random) {
    const each = <T>(make: () => T): T[] => options.hops.map(make)
    this.#options = options
    this.#exit = exit
    this.#clock = clock
    this.#random = random
    this.links = options.hops.map((_, at) => ({ loss: 0, delayMs: at === 0 ? DELAY_MS : 0, isCut: false }))
    this.#hops = each(() => ({ opened: 0, passed: 0, came: 0, sent: 0 }))
    this.#sealed = each(() => 0)
    this.#sealedForHop = each(() => 0)
    this.#opened = each(() => 0)
    this.#asked = each(() => 0)
    this.#answered = each(() => 0)
    clock.after(DELAY_MS, () => {
      if (!this.isOver) options.onReady?.()
    })
  }

  /** As the path set has it. */
  get asClientCircuit(): ClientCircuit {
    return this as unknown as ClientCircuit
  }

  get rttMs(): readonly undefined[] {
    return []
  }

  get cells(): number {
    return (this.#sealed[0] ?? 0) + (this.#opened[0] ?? 0)
  }

  get evidence(): ClientCircuit['evidence'] {
    const [opened, sealed, asked, answered] = [this.#opened, this.#sealed, this.#asked, this.#answered]
    return { opened, verified: opened.at(-1) ?? 0, rejected: 0, sealed, asked, answered }
  }

  ping(hop: number): void {
    const at = this.#clock.monotonic()
    this.#forward(hop, true, () =>
      this.#backward(hop, true, () => this.#options.onPong?.(hop, this.#clock.monotonic() - at)),
    )
  }

  count(): void {
    const round = ++this.rounds
    for (const hop of this.links.keys()) this.#question(hop, round)
  }

  seal(fill: (payload: Uint8Array) => number): boolean {
    const payload = new Uint8Array(PAYLOAD)
    const packetNumber = fill(payload)
    this.#forward(this.links.length - 1, false, () => this.#give(packetNumber, payload))
    return true
  }

  destroy(): void {
    this.isOver = true
    if (this.#leg !== undefined) this.#exit.end(this.#leg)
  }

  /** A hop says that the one behind it, which is named, is why it ends. */
  tellEnd(reason: number, hop: number): void {
    this.#options.onEnd?.(reason, hop)
  }

  #give(packetNumber: number, payload: Uint8Array): void {
    this.#leg ??= this.#exit.legOf(readJoin(payload), {
      seal: (fill) => {
        const answer = new Uint8Array(PAYLOAD)
        const number = fill(answer)
        this.#backward(this.links.length - 1, false, () => this.#options.onPacket?.(number, answer))
        return true
      },
    })
    if (this.#leg !== undefined) this.#exit.receive(packetNumber, payload, this.#leg)
  }

  #question(hop: number, round: number): void {
    this.#asked[hop]!++
    const asked = {
      // The question is one of them.
      sealed: (this.#sealed[hop] as number) + 1,
      sealedForHop: (this.#sealedForHop[hop] as number) + 1,
      askedAt: ++this.#place,
      openedAtQuestion: this.#opened[hop] as number,
      askedMs: this.#clock.monotonic(),
    }
    this.#forward(hop, true, () => {
      const counts = this.#hops[hop] as Counted
      // The answer is one of those that it tells of.
      const told = { ...counts, sent: counts.sent + 1, droppedForward: 0, droppedBackward: 0 }
      this.#backward(hop, true, () => {
        this.#answered[hop]!++
        this.#options.onCounted?.(hop, {
          ...asked,
          round,
          answeredMs: this.#clock.monotonic(),
          answeredAt: ++this.#place,
          hop: told,
          sealedAtAnswer: this.#sealed[hop] as number,
          opened: this.#opened[hop] as number,
          padding: 0,
        })
      })
    })
  }

  #forward(to: number, isControl: boolean, arrive: () => void): void {
    for (let hop = 0; hop <= to; hop++) this.#sealed[hop]!++
    if (isControl) this.#sealedForHop[to]!++
    const enter = (hop: number): void =>
      this.#over(hop, () => {
        const counts = this.#hops[hop] as Counted
        counts.opened++
        if (hop < to || !isControl) counts.passed++
        if (hop < to) enter(hop + 1)
        else arrive()
      })
    enter(0)
  }

  #backward(from: number, isControl: boolean, arrive: () => void): void {
    const leave = (hop: number): void => {
      const counts = this.#hops[hop] as Counted
      if (hop < from || !isControl) counts.came++
      counts.sent++
      this.#over(hop, () => {
        if (hop > 0) return leave(hop - 1)
        for (let at = 0; at <= from; at++) this.#opened[at]!++
        arrive()
      })
    }
    leave(from)
  }

  #over(hop: number, arrive: () => void): void {
    const { loss, delayMs, isCut } = this.links[hop] as LinkOfHop
    if (this.isOver || isCut || (loss > 0 && randomInt(this.#random, 1_000_000) < 1_000_000 * loss)) return
    this.#clock.after(delayMs, () => {
      if (!this.isOver) arrive()
    })
  }
}

/** The session of an exit, which all circuits to it lead to. */
export class SimulatedExit {
  readonly streams: SessionStream[] = []
  readonly #session: Session
  readonly #driver: SessionDriver
  #isBegun = false

  constructor(clock: Clock, random: Random) {
    this.#session = new Session({
      role: 'exit',
      clock,
      random,
      payloadLength: PAYLOAD,
      onWritable: () => this.#driver.wake(),
      onStream: (stream) => {
        this.streams.push(stream)
        stream.accept('192.0.2.1')
      },
    })
    this.#driver = new SessionDriver(this.#session, new FlushQueue(() => {}), clock)
  }

  legOf(join: Join | undefined, sender: Parameters<SessionDriver['carry']>[1]): SessionLeg | undefined {
    if (join === undefined && this.#isBegun) return undefined
    const leg = join === undefined ? this.#session.first : this.#session.join(join.leg, join.use)
    this.#isBegun = true
    if (leg !== undefined) this.#driver.carry(leg, sender)
    return leg
  }

  receive(packetNumber: number, payload: Uint8Array, leg: SessionLeg): void {
    this.#session.receive(packetNumber, payload, leg)
    this.#driver.wake()
  }

  end(leg: SessionLeg): void {
    this.#driver.drop(leg)
    this.#session.removeLeg(leg)
    this.#driver.wake()
  }

  wake(): void {
    this.#driver.wake()
  }

  close(): void {
    this.#driver.close()
  }
}
