import { type Random, seededRandom } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import { LOOK_MS, STALL_MS } from '../../src/liveness/liveness-limits.ts'
import { Liveness } from '../../src/liveness/liveness.ts'
import type { HelperReply, LivenessAction, ProbeAnswer, StandingChange } from '../../src/liveness/liveness-action.ts'
import type { ObserverPlace } from '../../src/liveness/observer-place.ts'
import type { WatchMode } from '../../src/liveness/watch-mode.ts'
import { EventHeap } from './event-heap.ts'
import { simulatedSignatures } from './simulated-signatures.ts'

export interface SimulationOptions {
  readonly nodes: number
  readonly seed: number
  /** Part of segments that a link loses. */
  readonly loss?: number
  /** Each node stands still for so long, on average once in `stallEveryMs`. */
  readonly stallMs?: number
  readonly stallEveryMs?: number
  /** Neighbours of a node; all others by default. */
  readonly neighbours?: (index: number) => readonly number[]
  readonly mode?: WatchMode
  /** Operator family of a node; each its own by default. */
  readonly familyOf?: (index: number) => string
}

export interface Alarm {
  readonly at: number
  readonly observer: number
  readonly accused: number
  readonly standing: StandingChange['standing']
}

/** An id of the form of one. */
export const NETWORK = `w${'simulation'.padEnd(32, 'x')}`
/** When the simulations began, ms since the Unix epoch. */
export const BEGIN = 1_800_000_000_000
/** As Linux begins (RFC 6298 allows 1 s; TCP_RTO_MIN is 200 ms). */
const FIRST_RTO_MS = 200
const PROBE_CALL_MS = 10_000

interface Node {
  readonly index: number
  readonly id: DidKey
  readonly place: ObserverPlace
  liveness: Liveness
  up: boolean
  /** Of its life: what was sent to an earlier one does not reach this one. */
  life: number
  stalledUntil: number
  timer: number
}

/**
 * A network of nodes that watch each other over TCP, on a virtual clock: a lost segment is a delay that doubles and holds
 * up all behind it, a node that stands still handles its timers and what came in afterwards, one that crashed is silent.
 */
export class LivenessSimulation {
  readonly nodes: Node[] = []
  readonly alarms: Alarm[] = []
  readonly count = { signed: 0, verified: 0, messages: 0, bytes: 0, asks: 0, lies: 0 }
  readonly #options: SimulationOptions
  readonly #random: () => number
  readonly #heap = new EventHeap()
  readonly #arrivals: Float64Array
  readonly #latency: Float64Array
  readonly #indexes = new Map<DidKey, number>()
  /** Which side of a partition a node is on. */
  readonly #sides: Int8Array
  readonly #cuts = new Set<number>()
  #now = 0
  /** Called at each change of a standing. */
  onStanding: (observer: Node, change: StandingChange, accused: Node) => void = () => {}

  constructor(options: SimulationOptions) {
    this.#options = options
    const { nodes, seed } = options
    const source = seededRandom(seed)
    this.#random = uniform(source)
    this.#arrivals = new Float64Array(nodes * nodes)
    this.#sides = new Int8Array(nodes)
    this.#latency = Float64Array.from({ length: nodes * nodes }, () => 5 + this.#random() * 75)
    for (let index = 0; index < nodes; index++) {
      const key = source.bytes(32)
      const place = { family: options.familyOf?.(index) ?? `f${index}`, prefix: `p${index}` }
      const node = { index, id: toDidKey(key), place, up: true, life: 0, stalledUntil: 0, timer: 0 } as Node
      node.liveness = this.#make(node, key, seed)
      this.nodes.push(node)
      this.#indexes.set(node.id, index)
    }
    for (const node of this.nodes) this.#join(node)
    if (options.stallMs !== undefined) for (const node of this.nodes) this.#planStall(node)
  }

  get now(): number {
    return this.#now
  }

  run(ms: number): void {
    const end = this.#now + ms
    for (let event = this.#heap.pop(end); event !== undefined; event = this.#heap.pop(end)) {
      this.#now = event.at
      event.run()
    }
    this.#now = end
  }

  /** Power lost: nothing closes, nothing answers. */
  crash(index: number): void {
    this.#node(index).up = false
  }

  /** Killed: the system closes its connections, which each neighbour sees a moment later. */
  kill(index: number): void {
    const node = this.#node(index)
    node.up = false
    for (const other of this.#neighbours(index)) {
      this.#deliver(index, other, () => this.#do(this.#node(other), (at) => at.liveness.lost(node.id)))
    }
  }

  /** Starts a node again, with nothing remembered; its neighbours connect to it. */
  restart(index: number): void {
    const node = this.#node(index)
    node.up = true
    node.life++
    node.stalledUntil = 0
    node.liveness = this.#make(node, null, this.#options.seed + node.life)
    this.#join(node)
    for (const other of this.#neighbours(index)) {
      this.#do(this.#node(other), (at) => at.liveness.connected(node.id))
    }
  }

  stall(index: number, ms: number): void {
    const node = this.#node(index)
    node.stalledUntil = Math.max(node.stalledUntil, this.#now + ms)
  }

  /** From now on nothing passes between these and the others; without arguments everything passes. */
  part(indexes: readonly number[] = []): void {
    this.#sides.fill(0)
    for (const index of indexes) this.#sides[index] = 1
  }

  /** From now on nothing passes between these two. */
  cut(a: number, b: number): void {
    this.#cuts.add(a * this.nodes.length + b)
    this.#cuts.add(b * this.nodes.length + a)
  }

  /** Lets a node say something of its own making in the next probe that it answers or sends; for liars. */
  inject: ((from: number, to: number, answer: ProbeAnswer) => ProbeAnswer) | undefined
  /** What a hostile helper replies in place of looking; undefined for one that is honest. */
  lieAsHelper: ((helper: number, target: number, nonce: Uint8Array) => HelperReply | undefined) | undefined

  index(id: DidKey): number {
    return this.#indexes.get(id) as number
  }

  signatures(index: number): ReturnType<typeof simulatedSignatures> {
    return simulatedSignatures(this.#keys[index] as Uint8Array, this.count)
  }

  readonly #keys: Uint8Array[] = []

  #make(node: Node, key: Uint8Array | null, seed: number): Liveness {
    if (key !== null) this.#keys[node.index] = key
    return new Liveness({
      network: NETWORK,
      self: node.id,
      signatures: this.signatures(node.index),
      clock: {
        now: () => BEGIN + Math.floor(this.#now),
        monotonic: () => this.#now,
        after: () => () => {},
      },
      random: seededRandom(seed * 1_000_003 + node.index),
      placeOf: (id) => {
        const index = this.#indexes.get(id)
        return index === undefined ? undefined : this.#node(index).place
      },
    })
  }

  #join(node: Node): void {
    // The first watch needs everybody's id.
    this.#heap.push(this.#now, () => {
      const others = this.#neighbours(node.index)
      node.liveness.watch(new Set(others.map((other) => this.#node(other).id)), this.#options.mode ?? 'mesh')
      for (const other of others) {
        if (this.#node(other).up) node.liveness.connected(this.#node(other).id)
        else node.liveness.lost(this.#node(other).id)
      }
      // Nodes do not all begin their rounds at once.
      this.#heap.push(this.#now + this.#random() * 1_000, () => this.#tick(node))
    })
  }

  #neighbours(index: number): readonly number[] {
    return this.#options.neighbours?.(index) ?? this.nodes.flatMap((node) => (node.index === index ? [] : [node.index]))
  }

  #node(index: number): Node {
    return this.nodes[index] as Node
  }

  #planStall(node: Node): void {
    const { stallMs = 0, stallEveryMs = 60_000 } = this.#options
    this.#heap.push(this.#now - Math.log(1 - this.#random()) * stallEveryMs, () => {
      this.stall(node.index, stallMs)
      this.#heap.push(this.#now + stallMs, () => this.#planStall(node))
    })
  }

  /** Runs something on a node now, or when it no longer stands still; `never` when it is gone or not the one that was meant. */
  #do(node: Node, what: (node: Node) => readonly LivenessAction[], life = node.life, never = (): void => {}): void {
    if (!node.up || node.life !== life) return never()
    if (node.stalledUntil > this.#now) {
      // Behind its timers, as an event loop has it.
      this.#heap.push(node.stalledUntil + 0.001, () => this.#do(node, what, life, never))
      return
    }
    this.#perform(node, what(node))
    const timer = ++node.timer
    this.#heap.push(Math.max(this.#now, node.liveness.nextTickAt()), () => {
      if (node.timer === timer) this.#tick(node)
    })
  }

  #tick(node: Node): void {
    if (node.stalledUntil > this.#now) {
      this.#heap.push(node.stalledUntil, () => this.#tick(node))
      return
    }
    this.#do(node, (at) => at.liveness.tick())
  }

  #perform(node: Node, actions: readonly LivenessAction[]): void {
    for (const action of actions) {
      if (action.kind === 'standing') this.#changed(node, action)
      else if (action.kind === 'probe') this.#probe(node, action)
      else this.#ask(node, action)
    }
  }

  #changed(node: Node, change: StandingChange): void {
    const accused = this.#node(this.index(change.id))
    this.onStanding(node, change, accused)
    if (change.standing !== 'answers' && accused.up) {
      this.alarms.push({ at: this.#now, observer: node.index, accused: accused.index, standing: change.standing })
    }
  }

  #probe(node: Node, { to, statements }: Extract<LivenessAction, { kind: 'probe' }>): void {
    const target = this.#node(this.index(to))
    const { life } = node
    const said = this.inject?.(node.index, target.index, { incarnation: 0, statements }).statements ?? statements
    const failed = (): void =>
      this.#heap.push(this.#now + PROBE_CALL_MS, () => this.#do(node, () => node.liveness.failed(to), life))
    this.#send(
      node.index,
      target,
      said,
      (at) => {
        const { incarnation, statements: told } = at.liveness.probed(node.id, said, new Uint8Array())
        let answer: ProbeAnswer = { incarnation, statements: told }
        if (this.inject !== undefined) answer = this.inject(at.index, node.index, answer)
        this.#deliver(
          at.index,
          node.index,
          () => this.#do(node, () => node.liveness.answered(to, answer), life),
          failed,
        )
        return at.liveness.take()
      },
      failed,
    )
  }

  #ask(node: Node, { helper, target, nonce, incarnation }: Extract<LivenessAction, { kind: 'ask' }>): void {
    this.count.asks++
    const { life } = node
    const accused = this.#node(this.index(target))
    const reply = (from: Node, what: HelperReply): void =>
      this.#deliver(from.index, node.index, () =>
        this.#do(node, () => node.liveness.replied(helper, target, nonce, what), life),
      )
    this.#send(node.index, this.#node(this.index(helper)), undefined, (at) => {
      const lie = this.lieAsHelper?.(at.index, accused.index, nonce)
      if (lie !== undefined) {
        reply(at, lie)
        return []
      }
      at.liveness.asked(target)
      const began = this.#now
      let over = false
      this.#send(at.index, accused, undefined, (seen) => {
        const { proof } = seen.liveness.probed(at.id, { alive: [], suspicions: [] }, nonce)
        this.#deliver(seen.index, at.index, () =>
          this.#do(at, () => {
            if (!over && proof !== undefined) reply(at, { alive: proof })
            over = true
            return []
          }),
        )
        return seen.liveness.take()
      })
      this.#heap.push(this.#now + LOOK_MS, () =>
        this.#do(at, () => {
          if (over) return []
          over = true
          reply(
            at,
            this.#now - began > LOOK_MS + STALL_MS ? {} : { silent: at.liveness.suspicionOf(target, incarnation) },
          )
          return []
        }),
      )
      return []
    })
  }

  #send(
    from: number,
    to: Node,
    statements: ProbeAnswer['statements'] | undefined,
    what: (node: Node) => readonly LivenessAction[],
    never: () => void = () => {},
  ): void {
    this.count.messages++
    if (statements !== undefined)
      this.count.bytes += 220 * (statements.alive.length + statements.suspicions.length) + 40
    if (!to.up || !this.#passes(from, to.index)) return never()
    const { life } = to
    this.#deliver(from, to.index, () => this.#do(to, what, life, never), never)
  }

  #passes(from: number, to: number): boolean {
    return this.#sides[from] === this.#sides[to] && !this.#cuts.has(from * this.nodes.length + to)
  }

  /** Over the link's TCP: in order, and later by each segment that is lost. */
  #deliver(from: number, to: number, what: () => void, never: () => void = () => {}): void {
    const at = from * this.nodes.length + to
    if (!this.#passes(from, to)) return never()
    let arrival = this.#now + (this.#latency[at] as number)
    const loss = this.#options.loss ?? 0
    if (loss > 0) for (let rto = FIRST_RTO_MS; this.#random() < loss; rto *= 2) arrival += rto
    arrival = Math.max(arrival, this.#arrivals[at] as number)
    this.#arrivals[at] = arrival
    this.#heap.push(arrival, () => {
      if (this.#passes(from, to)) what()
      else never()
    })
  }
}

/** Numbers from 0 to 1 out of a source of bytes, some thousands at a time. */
function uniform(source: Random): () => number {
  const words = new Uint32Array(4_096)
  let at = words.length
  return () => {
    if (at === words.length) {
      new Uint8Array(words.buffer).set(source.bytes(words.byteLength))
      at = 0
    }
    return (words[at++] as number) / 2 ** 32
  }
}
