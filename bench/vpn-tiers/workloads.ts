import { type SessionStream, type Tier, UDP_CHANNEL } from '@weft/onion'
import { Chance } from './chance.ts'
import { type RecordedFlow, newRecording } from './recorded-flow.ts'
import { SimulatedRoute, TARGET_MS } from './simulated-route.ts'
import { VirtualWorld } from './virtual-world.ts'

export const WORKLOADS = ['chat', 'chatBegins', 'call', 'callBegins', 'pages', 'download'] as const
/** Beside them, of which only the cost is measured: nothing at all, and a download that fills the client's line. */
export type Workload = (typeof WORKLOADS)[number] | 'idle' | 'full'

/** ms that are observed. */
export const OBSERVED_MS: Readonly<Record<Workload, number>> = {
  chat: 30_000,
  chatBegins: 30_000,
  call: 20_000,
  callBegins: 20_000,
  pages: 30_000,
  download: 12_000,
  idle: 600_000,
  full: 6_000,
}

export interface PlayedFlow extends RecordedFlow {
  /** Cells of all links. */
  readonly cells: number
  /** ms of each request's answer, or of each packet of a call on its way to the target. */
  readonly waits: readonly number[]
  /** Bytes that came to the client from the target. */
  readonly bytes: number
}

const TARGET = { host: '198.51.100.7', port: 443 }
/** ms that a flow of the kind that is seen in the middle goes on before. */
const WARM_MS = 10_000
/** As legs of a node's route: of signs of life, and of looks whether hops are asked what they counted, without a tier and with one. */
const PING_EVERY_MS = 10_000
const LOOK_MS = { off: 100, standard: 250, high: 250 } as const
/** Bytes of a packet of TCP to the target. */
const SEGMENT = 1_448

/** A flow with the exit's far side, where a target answers. */
class Play {
  readonly world = new VirtualWorld()
  readonly chance: Chance
  readonly route: SimulatedRoute
  readonly targetUp = newRecording()
  readonly targetDown = newRecording()
  readonly waits: number[] = []
  bytes = 0

  constructor(seed: number, tier: Tier) {
    // What is played is the same in each tier; what the tiers draw is apart.
    this.chance = new Chance(seed)
    this.route = new SimulatedRoute(this.world, new Chance(seed + 1_000_000), tier, {
      onStream: (stream) => this.#serve(stream),
    })
  }

  /** From here on it is seen. */
  begin(): void {
    this.waits.length = 0
    this.bytes = 0
    this.route.observe()
  }

  after(ms: number, run: () => void): void {
    this.world.at(this.world.monotonic() + ms, run)
  }

  recordUp(bytes: number): void {
    record(this.targetUp, this.route.observed, bytes)
  }

  recordDown(bytes: number): void {
    record(this.targetDown, this.route.observed, bytes)
  }

  /** A request of `up` bytes, which a target answers after `thinkMs` by `down` bytes at `rate` bytes a ms; what it is to do stands in its first bytes. */
  request(up: number, down: number, thinkMs: number, rate: () => number, done?: () => void): void {
    const began = this.world.monotonic()
    const stream = this.route.session.openStream(TARGET)
    let left = down
    let isFirst = true
    stream.handler = {
      onData: (chunk) => {
        if (isFirst) this.waits.push(this.world.monotonic() - began)
        isFirst = false
        left -= chunk.length
        this.bytes += chunk.length
        stream.consume(chunk.length)
        if (left <= 0) done?.()
      },
    }
    this.#orders.push({ up, down, thinkMs, rate })
    stream.write(new Uint8Array(up))
    stream.end()
    this.route.wake()
  }

  /** Requests in the order they were made: streams come to the exit in it. */
  readonly #orders: { up: number; down: number; thinkMs: number; rate: () => number }[] = []

  onDatagram: ((bytes: Uint8Array, reply: (bytes: Uint8Array) => void) => void) | undefined

  #serve(stream: SessionStream): void {
    const { channel } = stream
    if (channel !== undefined) {
      channel.handler = {
        onDatagram: (target, address, bytes) => {
          this.recordUp(bytes.length)
          this.onDatagram?.(bytes.slice(), (answer) => {
            this.recordDown(answer.length)
            channel.reply(target, address === '' ? TARGET.host : address, answer)
            this.route.wake()
          })
        },
      }
      stream.accept('0.0.0.0')
      return
    }
    const order = this.#orders.shift()
    if (order === undefined) throw new Error('a stream that nobody asked for')
    let left = order.up
    stream.handler = {
      onData: (chunk) => {
        this.recordUp(chunk.length)
        left -= chunk.length
        stream.consume(chunk.length)
        if (left <= 0) this.after(2 * TARGET_MS + order.thinkMs, () => this.#answer(stream, order.down, order.rate))
      },
      onDrain: () => {},
    }
    stream.accept(TARGET.host)
  }

  /** Writes an answer in flights of ten segments, each as it comes from the target; one that finds no room waits for it. */
  #answer(stream: SessionStream, down: number, rate: () => number): void {
    let left = down
    const next = (): void => {
      const length = Math.min(left, 10 * SEGMENT)
      left -= length
      for (let at = 0; at < length; at += SEGMENT) this.recordDown(Math.min(SEGMENT, length - at))
      const hasRoom = stream.write(new Uint8Array(length))
      this.route.wake()
      if (left <= 0) stream.end()
      else if (hasRoom) this.after(length / rate(), next)
      else stream.handler = { ...stream.handler, onDrain: () => this.after(0, next) }
      this.route.wake()
    }
    next()
  }
}

function record({ times, amounts }: ReturnType<typeof newRecording>, at: number, amount: number): void {
  if (!(at >= 0)) return
  times.push(at)
  amounts.push(amount)
}

/** Plays one flow; the same seed is the same use of the network in each tier. */
export function play(workload: Workload, seed: number, tier: Tier): PlayedFlow {
  const flow = new Play(seed, tier)
  const end = OBSERVED_MS[workload]
  playHealth(flow, LOOK_MS[tier])
  if (workload === 'chat') playChat(flow, end + WARM_MS)
  else if (workload === 'chatBegins') playChat(flow, end)
  else if (workload === 'call') playCall(flow, end + WARM_MS, 0)
  else if (workload === 'callBegins') playCall(flow, end, flow.chance.uniform(0, 5_000))
  else if (workload === 'pages') playPages(flow, end)
  else if (workload === 'download') playDownload(flow)
  else if (workload === 'full') flow.request(480, 1e9, 0, () => 100_000)
  flow.world.runUntil(flow.world.monotonic() + (isWarm(workload) ? WARM_MS : 0))
  flow.begin()
  flow.world.runUntil(flow.world.monotonic() + end)
  const { linkUp, linkDown, cells } = flow.route
  const { targetUp, targetDown, waits, bytes } = flow
  return { linkUp, linkDown, targetUp, targetDown, cells, waits, bytes }
}

function isWarm(workload: Workload): boolean {
  return workload === 'chat' || workload === 'call' || workload === 'full'
}

/** A node asks each hop for a sign of life, and what it counted: by what went over the circuit, whatever that was. */
function playHealth(flow: Play, lookMs: number): void {
  const { route, world, chance } = flow
  const { circuit, health } = route
  let pingAt = world.monotonic() + chance.uniform(0, PING_EVERY_MS)
  const look = (): void => {
    const now = world.monotonic()
    if (now >= pingAt) {
      pingAt += PING_EVERY_MS
      for (const hop of [0, 1, 2]) circuit.ping(hop)
    }
    if (health.isDue(now, circuit.cells)) {
      circuit.count()
      health.onAsked(now, circuit.cells)
    }
    flow.after(lookMs, look)
  }
  flow.after(chance.uniform(0, lookMs), look)
}

/** Messages of some hundred bytes at random times, each echoed; about one in two seconds. */
function playChat(flow: Play, end: number): void {
  const { chance } = flow
  for (let at = chance.exponential(2_000); at < end; at += chance.exponential(2_000)) {
    const [up, down, think] = [chance.uniform(60, 600), chance.uniform(60, 600), chance.exponential(30)]
    flow.after(at, () => flow.request(Math.ceil(up), Math.ceil(down), think, () => 1_000))
  }
}

/** 50 datagrams of 160 bytes a second either way while that side speaks, none while it does not: turns of exponential length. */
function playCall(flow: Play, end: number, begins: number): void {
  const { chance, route, world } = flow
  const stream = route.session.openStream(UDP_CHANNEL)
  const { channel } = stream
  if (channel === undefined) throw new Error('a stream without a channel')
  stream.handler = {}
  let reply: ((bytes: Uint8Array) => void) | undefined
  flow.onDatagram = (bytes, answer) => {
    reply = answer
    const sentAt = new DataView(bytes.buffer).getFloat64(0)
    if (sentAt > 0) flow.waits.push(world.monotonic() - sentAt)
  }
  channel.handler = { onDatagram: (_, __, bytes) => void (flow.bytes += bytes.length) }
  const speak = (first: number, say: () => void): void => {
    let isSpeaking = chance.fraction() < 0.5
    let turnsAt = 0
    for (let at = first; at < end; at += 20) {
      if (at >= turnsAt) {
        isSpeaking = !isSpeaking
        turnsAt = at + chance.exponential(isSpeaking ? 1_200 : 1_800)
      }
      if (isSpeaking) flow.after(at + chance.exponential(0.5), say)
    }
  }
  const said = (): Uint8Array => {
    const bytes = new Uint8Array(160)
    new DataView(bytes.buffer).setFloat64(0, world.monotonic())
    return bytes
  }
  flow.after(begins, () => {
    channel.send(TARGET.host, TARGET.port, new Uint8Array(160))
    route.wake()
  })
  speak(begins + chance.uniform(100, 120), () => {
    channel.send(TARGET.host, TARGET.port, said())
    route.wake()
  })
  speak(begins + chance.uniform(200, 220), () => reply?.(new Uint8Array(160)))
}

/** Pages of a document and what it names, with pauses to read. */
function playPages(flow: Play, end: number): void {
  const { chance } = flow
  for (let at = chance.uniform(0, 5_000); at < end; at += 2_000 + chance.exponential(8_000)) {
    const parts = Array.from({ length: Math.ceil(chance.uniform(4, 24)) }, () => ({
      size: Math.min(400_000, Math.ceil(chance.logNormal(14_000, 1.1))),
      think: chance.exponential(25),
      late: chance.exponential(120),
    }))
    const [size, think, rate] = [
      Math.ceil(chance.logNormal(30_000, 0.6)),
      chance.exponential(60),
      chance.logNormal(3_000, 0.5),
    ]
    const load = (): void => {
      for (const part of parts) flow.after(part.late, () => flow.request(420, part.size, part.think, () => rate))
    }
    flow.after(at, () => flow.request(480, size, think, () => rate, load))
  }
}

/** One answer without end, from a target whose rate changes. */
function playDownload(flow: Play): void {
  const { chance, world } = flow
  let rate = 0
  let changesAt = 0
  const now = (): number => {
    if (world.monotonic() >= changesAt) {
      rate = Math.min(4_000, Math.max(50, chance.logNormal(500, 0.7)))
      changesAt = world.monotonic() + chance.exponential(600)
    }
    return rate
  }
  flow.after(chance.uniform(0, 3_000), () => flow.request(480, 1e9, 20, now))
}
