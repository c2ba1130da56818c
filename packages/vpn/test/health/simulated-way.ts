import assert from 'node:assert/strict'
import { type Random, randomInt, seededRandom, toHex } from '@weft/core'
import {
  type CircuitLink,
  ClientCircuits,
  type ClientCircuit,
  type CountSample,
  type ExitCircuit,
  Packet,
  RelayCircuits,
  type Tier,
  generateX25519,
} from '@weft/onion'
import type { Direction } from '../../src/health/leg-evidence.ts'
import { LegHealth } from '../../src/health/leg-health.ts'

type Command = Parameters<CircuitLink['sendMessage']>[0]

/** What one link does to cells in one direction. */
export interface WayProfile {
  /** Part that is lost. */
  loss: number
  delayMs: number
  /** Part that goes so many ms later than the others. */
  late: number
  lateMs: number
}

interface Arrival {
  readonly atMs: number
  readonly run: () => void
}

/** Changes what a hop says of itself, as a hop that lies would say it. */
export type Liar = (hop: number, sample: CountSample) => CountSample

const LINK_DELAY_MS = 10
/** ms between two looks of a leg at its clock. */
const LOOK_MS = 100
const HOPS = 3

/** Of what an event says: a number from 0 to 1. */
function fraction(random: Random): number {
  return randomInt(random, 2 ** 30) / 2 ** 30
}

/** A real circuit of a client over three real hops, on links that are simulated in simulated time, and its health. */
export class SimulatedWay {
  now = 0
  readonly health: LegHealth
  readonly samples: CountSample[][] = Array.from({ length: HOPS }, () => [])
  readonly circuit: ClientCircuit
  /** By link, the one to the entry first. */
  readonly profiles: readonly Record<Direction, WayProfile>[]
  /** Cells that were lost on each link. */
  readonly lost: readonly Record<Direction, number>[] = Array.from({ length: HOPS }, () => ({
    forward: 0,
    backward: 0,
  }))
  liar: Liar = (_, sample) => sample
  /** Cells a second, each way. */
  rate = 200
  readonly random: Random
  readonly #queue: Arrival[] = []
  readonly #clock = { now: () => 1_700_000_000_000 + this.now, monotonic: () => this.now }
  readonly #relays: RelayCircuits[] = []
  readonly #client: ClientCircuits
  #exit: ExitCircuit | undefined
  #number = 0
  #nextCell = 0
  #nextLook = 0

  /** @param knownTier what the health is told of */
  constructor(seed: number, tier: Tier = 'off', knownTier = tier) {
    this.health = new LegHealth(HOPS, knownTier)
    this.random = seededRandom(seed)
    this.profiles = Array.from({ length: HOPS }, () => ({ forward: profile(), backward: profile() }))
    const ids = Array.from({ length: HOPS }, (_, at) => new Uint8Array(32).fill(at + 1))
    const onions = ids.map(() => generateX25519(this.random))
    this.#client = new ClientCircuits({ networkId: 'test', clock: this.#clock, random: this.random })
    const links = Array.from({ length: HOPS }, (_, at) => this.#link(at, ids))
    for (const [at, id] of ids.entries())
      this.#relays.push(
        new RelayCircuits({
          id,
          networkId: 'test',
          onionKeys: () => [onions[at]!],
          isFirstUse: true,
          roles: { entry: true, relay: true, exit: true },
          clock: this.#clock,
          random: this.random,
          nextHop: (_, role) => (role === 'relay' ? links[at + 1]?.forward : undefined),
          isMember: (key) => ids.find((each) => Buffer.compare(each, key) === 0),
          exit: {
            accept: (circuit) => {
              this.#exit = circuit
              return true
            },
          },
        }),
      )
    this.circuit = this.#client.build({
      link: links[0]!.forward,
      hops: ids.map((each, at) => ({ id: each, onionKey: onions[at]!.publicKey })),
      timeoutMs: 5_000,
      tier,
      onPong: (hop, ms) => this.health.onPong(hop, ms, this.now),
      onCounted: (hop, sample) => {
        const told = this.liar(hop, sample)
        this.samples[hop]?.push(told)
        this.health.onCounted(hop, told)
      },
    })
    while (this.circuit.state === 'building' && this.#queue.length > 0) this.#step(this.#queue[0]!.atMs)
    assert.equal(this.circuit.state, 'ready')
    this.#nextCell = this.now
    // The leg's look has no fixed place in what happens.
    this.#nextLook = this.now + randomInt(this.random, LOOK_MS)
  }

  /** Another number of cells a second, from now on; 0 for none. */
  setRate(rate: number): void {
    this.rate = rate
    this.#nextCell = rate === 0 ? Infinity : this.now
  }

  /** Lets so many ms go by, with cells both ways and a leg that looks every 100 ms. */
  run(ms: number, onLook?: () => void): void {
    const end = this.now + ms
    for (;;) {
      const next = Math.min(this.#queue[0]?.atMs ?? Infinity, this.#nextCell, this.#nextLook, this.#nextTimeout)
      if (next > end) break
      this.#step(next)
      if (next === this.#nextCell) {
        this.#nextCell += this.rate === 0 ? Infinity : 1_000 / this.rate
        this.#send()
      }
      if (next === this.#nextLook) {
        this.#nextLook += LOOK_MS
        this.#look()
        onLook?.()
      }
    }
    this.now = end
  }

  #send(): void {
    const fill = (payload: Uint8Array): number => {
      payload[0] = 1
      return ++this.#number
    }
    this.circuit.seal(fill)
    this.#exit?.seal(fill)
  }

  #look(): void {
    const { cells } = this.circuit
    if (!this.health.isDue(this.now, cells)) return
    this.health.onAsked(this.now, cells)
    this.circuit.count()
  }

  #step(atMs: number): void {
    this.now = Math.max(this.now, atMs)
    while (this.#queue[0] !== undefined && this.#queue[0].atMs <= this.now) this.#queue.shift()?.run()
    for (const machine of this.#machines) {
      if (machine instanceof RelayCircuits) machine.queue.begin(1)
      if ((machine.nextTimeout() ?? Infinity) <= this.now) machine.onTimeout()
    }
  }

  get #machines(): readonly (RelayCircuits | ClientCircuits)[] {
    return [this.#client, ...this.#relays]
  }

  /** As late as a timer of whole ms. */
  get #nextTimeout(): number {
    return Math.max(
      this.now,
      Math.min(...this.#machines.map((machine) => Math.ceil(machine.nextTimeout() ?? Infinity))),
    )
  }

  #arrive(atMs: number, run: () => void): void {
    let place = this.#queue.length
    while (place > 0 && (this.#queue[place - 1] as Arrival).atMs > atMs) place--
    this.#queue.splice(place, 0, { atMs, run })
  }

  /** The link to the hop at `at`, by its two sides. */
  #link(at: number, ids: readonly Uint8Array[]): Record<Direction, CircuitLink> {
    const keys = { forward: ids[at]!, backward: ids[at - 1] ?? new Uint8Array(32).fill(99) }
    const side = (direction: Direction): CircuitLink => ({
      initiator: direction === 'forward',
      peerKey: keys[direction],
      peerName: toHex(keys[direction]),
      isSilent: false,
      circuits: 0,
      newCircuitId: () => randomInt(this.random, 2 ** 31) + 2 ** 31,
      sendCell: (circuitId, packet) => {
        this.#cell(at, direction, circuitId, packet, sides)
        return true
      },
      sendMessage: (command: Command, circuitId, content) => {
        const copy = content.slice()
        this.#arrive(this.now + this.profiles[at]![direction].delayMs, () => {
          const to = this.#end(at, direction)
          to.onMessage(this.#otherSide(sides, direction), command, circuitId, copy)
          if (to instanceof RelayCircuits) while (to.work());
        })
        return true
      },
    })
    const sides: Record<Direction, CircuitLink> = { forward: side('forward'), backward: side('backward') }
    return sides
  }

  #cell(
    at: number,
    direction: Direction,
    circuitId: number,
    packet: Packet,
    sides: Record<Direction, CircuitLink>,
  ): void {
    const { loss, delayMs, late, lateMs } = this.profiles[at]![direction]
    if (loss > 0 && fraction(this.random) < loss) {
      this.lost[at]![direction]++
      return
    }
    const copy = packet.body.slice()
    const more = late > 0 && fraction(this.random) < late ? lateMs : 0
    this.#arrive(this.now + delayMs + more, () => {
      const came = new Packet()
      came.body.set(copy)
      const to = this.#end(at, direction)
      if (to instanceof RelayCircuits) to.queue.begin(1)
      to.onCell(this.#otherSide(sides, direction), circuitId, came)
    })
  }

  #otherSide(sides: Record<Direction, CircuitLink>, direction: Direction): CircuitLink {
    return direction === 'forward' ? sides.backward : sides.forward
  }

  #end(at: number, direction: Direction): RelayCircuits | ClientCircuits {
    const machine = direction === 'forward' ? this.#relays[at] : at === 0 ? this.#client : this.#relays[at - 1]
    assert.ok(machine !== undefined)
    return machine
  }
}

function profile(): WayProfile {
  return { loss: 0, delayMs: LINK_DELAY_MS, late: 0, lateMs: 0 }
}
