import assert from 'node:assert/strict'
import { seededRandom } from '@weft/core'
import { Session, type SessionInit } from '../../src/session/session.ts'
import { type SessionLeg } from '../../src/session/session-leg.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'

/** One direction of a link: times in ms, rate in bytes per ms, queue in bytes, chances from 0 to 1. */
export interface LinkShape {
  readonly delay: number
  readonly rate: number
  readonly queue: number
  readonly drop?: number
  readonly duplicate?: number
  readonly reorder?: number
  readonly reorderBy?: number
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export const PAYLOAD = 1329
const WIRE = 1440

/** A binary heap of events on a virtual clock. */
export class World {
  now = 0
  #order = 0
  readonly #heap: Event[] = []

  monotonic(): number {
    return this.now
  }

  at(at: number, run: () => void): void {
    const heap = this.#heap
    heap.push({ at: Math.max(at, this.now), order: this.#order++, run })
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1
      if (!before(heap[i]!, heap[parent]!)) break
      ;[heap[i], heap[parent]] = [heap[parent]!, heap[i]!]
      i = parent
    }
  }

  step(): void {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return
    if (heap.length > 0) {
      heap[0] = last
      for (let i = 0; ;) {
        const left = 2 * i + 1
        const right = left + 1
        let least = i
        if (left < heap.length && before(heap[left]!, heap[least]!)) least = left
        if (right < heap.length && before(heap[right]!, heap[least]!)) least = right
        if (least === i) break
        ;[heap[i], heap[least]] = [heap[least]!, heap[i]!]
        i = least
      }
    }
    this.now = first.at
    first.run()
  }

  /** Runs until `done` or until `limit` ms of virtual time; returns whether it was done. */
  run(done: () => boolean, limit: number): boolean {
    while (!done()) {
      const next = this.#heap[0]
      if (next === undefined || next.at > limit) {
        this.now = Math.max(this.now, limit)
        return done()
      }
      this.step()
    }
    return true
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** One direction of a path. */
export class Link {
  readonly #world: World
  readonly #chance: () => number
  shape: LinkShape
  #freeAt = 0
  dropped = 0
  deliver: (number: number, payload: Uint8Array) => void = () => {}

  constructor(world: World, shape: LinkShape, chance: () => number) {
    this.#world = world
    this.shape = shape
    this.#chance = chance
  }

  send(number: number, payload: Uint8Array): void {
    const { shape } = this
    const { now } = this.#world
    const start = Math.max(now, this.#freeAt)
    if ((start - now) * shape.rate > shape.queue || this.#chance() < (shape.drop ?? 0)) {
      this.dropped++
      return
    }
    this.#freeAt = start + WIRE / shape.rate
    const late = this.#chance() < (shape.reorder ?? 0) ? (shape.reorderBy ?? 1) : 0
    const arrival = this.#freeAt + shape.delay + late
    this.#world.at(arrival, () => this.deliver(number, payload))
    if (this.#chance() < (shape.duplicate ?? 0)) this.#world.at(arrival + 0.1, () => this.deliver(number, payload))
  }
}

const MAX_TIMEOUTS = 1_000_000

/** A session that is driven as its owner would: packets and timers in, packets out; timers are no finer than 1 ms. */
export class Driver {
  readonly #world: World
  readonly session: Session
  /** What goes over a leg goes into this link. */
  readonly links = new Map<SessionLeg, Link>()
  /** Packets sent over each leg. */
  readonly sent = new Map<number, number>()
  /** Times that a timer called it. */
  timeouts = 0
  #timerAt = Infinity
  #woken = false

  constructor(world: World, init: Omit<SessionInit, 'clock' | 'payloadLength' | 'onWritable'>) {
    this.#world = world
    this.session = new Session({ ...init, clock: world, payloadLength: PAYLOAD, onWritable: () => this.wake() })
  }

  wake(): void {
    if (this.#woken) return
    this.#woken = true
    this.#world.at(this.#world.now, () => {
      this.#woken = false
      this.pump()
    })
  }

  receive(number: number, payload: Uint8Array, leg = this.session.first): void {
    this.session.receive(number, payload, leg)
    this.session.endBatch()
    this.pump()
  }

  pump(): void {
    const { session } = this
    for (let leg = session.next(); leg !== undefined; leg = session.next()) {
      const payload = new Uint8Array(PAYLOAD)
      const number = session.fill(payload, leg)
      this.sent.set(leg.id, (this.sent.get(leg.id) ?? 0) + 1)
      this.links.get(leg)?.send(number, payload)
    }
    const at = session.nextTimeout()
    if (at === undefined) return
    const due = Math.max(Math.ceil(at), this.#world.now)
    if (due >= this.#timerAt && this.#timerAt > this.#world.now) return
    this.#timerAt = due
    this.#world.at(due, () => {
      if (this.#timerAt !== due) return
      this.#timerAt = Infinity
      this.timeouts++
      // Time would stand still.
      assert.ok(this.timeouts < MAX_TIMEOUTS, 'a timer is due again and again')
      session.onTimeout()
      this.pump()
    })
  }
}

export interface Path {
  readonly world: World
  readonly client: Driver
  readonly exit: Driver
  readonly up: Link
  readonly down: Link
  readonly ends: string[]
}

/** A client and an exit joined by two links. */
export function simulatedPath(
  seed: number,
  shape: LinkShape,
  onStream: (stream: SessionStream) => void,
  extra: { memory?: SessionInit['memory']; world?: World } = {},
): Path {
  const random = seededRandom(seed)
  const chance = (): number => new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32
  const world = extra.world ?? new World()
  const ends: string[] = []
  const end = (who: string) => (code: number, reason: string) => {
    ends.push(`${who} ${code} ${reason}`)
  }
  const client = new Driver(world, { role: 'client', random, onClose: end('client') })
  const exit = new Driver(world, {
    role: 'exit',
    random,
    onClose: end('exit'),
    onStream,
    ...(extra.memory === undefined ? {} : { memory: extra.memory }),
  })
  const up = new Link(world, shape, chance)
  const down = new Link(world, shape, chance)
  up.deliver = (number, payload) => exit.receive(number, payload)
  down.deliver = (number, payload) => client.receive(number, payload)
  client.links.set(client.session.first, up)
  exit.links.set(exit.session.first, down)
  return { world, client, exit, up, down, ends }
}

const CHUNK = 65_536

/** The byte at `offset` of a stream's test content: no short period, so that misplaced bytes show. */
export function contentByte(offset: number): number {
  return (Math.imul(offset, 2_654_435_761) >>> 13) & 0xff
}

/** Writes `total` bytes of test content and ends the stream. */
export class Source {
  written = 0
  readonly #stream: SessionStream
  readonly #total: number

  constructor(stream: SessionStream, total: number) {
    this.#stream = stream
    this.#total = total
  }

  more(): void {
    const chunk = new Uint8Array(CHUNK)
    while (this.written < this.#total) {
      const length = Math.min(CHUNK, this.#total - this.written)
      for (let i = 0; i < length; i++) chunk[i] = contentByte(this.written + i)
      this.written += length
      if (!this.#stream.write(chunk.subarray(0, length))) return
    }
    this.#stream.end()
  }
}

/** Checks test content as it comes. */
export class Sink {
  received = 0
  isWrong = false
  ended = false

  take(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) if (chunk[i] !== contentByte(this.received + i)) this.isWrong = true
    this.received += chunk.length
  }
}

/** Lets `stream` send `total` bytes and take what comes; returns what came. */
export function exchange(stream: SessionStream, total: number): Sink {
  const sink = new Sink()
  const source = new Source(stream, total)
  stream.handler = {
    onData: (chunk) => {
      sink.take(chunk)
      stream.consume(chunk.length)
    },
    onEnd: () => {
      sink.ended = true
    },
    onDrain: () => source.more(),
  }
  source.more()
  return sink
}
