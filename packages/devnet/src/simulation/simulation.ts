import { type Clock, type Logger, VirtualClock, WeftError, messageOf } from '@weft/core'
import { type DidKey, rememberSignatures } from '@weft/crypto'
import type { NetworkFile, OnionKeySource } from '@weft/overlay'
import { randomFor } from '../plan/seed.ts'
import { INTERNET, type LinkProfile } from './link-profile.ts'
import { BEGIN, type PlanOptions, type PlannedMember, planMembers } from './plan-members.ts'
import { promiseSettler } from './promise-settler.ts'
import { sharedMapReader } from './shared-map-reader.ts'
import { SimulatedInternet } from './simulated-internet.ts'
import { SimulatedNode } from './simulated-node.ts'
import { SimulatedProcess } from './simulated-process.ts'
import { Trace } from './trace.ts'

export interface SimulationOptions {
  /** Everything that happens follows from it: keys, places, delays, losses, choices of the nodes. */
  readonly seed: string
  /** Nodes, validators included. */
  readonly members: number
  /** Default 4, of which one may fail. */
  readonly validators?: number
  /** ms; default 5,000. */
  readonly mapEpochMs?: number
  /** ms; default a day. */
  readonly certificateTtlMs?: number
  /** ms without validators after which others take their seats; default a minute. */
  readonly recoveryAfterMs?: number
  /** ms from one rotation of seats to the next; default never. */
  readonly rotateMs?: number
  /** Members behind the validators that ask for a seat; default none. */
  readonly candidates?: number
  /** Part of the members behind the validators that are behind NAT, from 0 to 1; default none. */
  readonly behindNat?: number
  readonly links?: LinkProfile
  /** What the network asks of roles; default nothing. */
  readonly minimums?: PlanOptions['minimums']
  /** Changes what a member claims, or where it is. */
  readonly change?: PlanOptions['change']
  /** Where a node has onion keys from, at each start; by default one key for good. */
  readonly onionKeys?: (name: string, clock: Clock) => OnionKeySource | undefined
  /** Takes the lines of the trace. */
  readonly sink?: (lines: string) => void
}

const DAY_MS = 24 * 3_600_000
/** The votes over its certificate, and what it says of others while many go. */
const SIGNATURES_OF_A_NODE = 8

/**
 * A network of nodes in one process, on a clock that moves when it is told to: the overlay as it ships, above simulated
 * machines, links and stores. The same seed and the same calls give the same trace, to the byte.
 */
export class Simulation implements Disposable {
  readonly seed: string
  readonly clock: VirtualClock
  readonly file: NetworkFile
  readonly internet: SimulatedInternet
  readonly trace: Trace
  /** All of the plan, validators first; those that were not started do not run. */
  readonly nodes: readonly SimulatedNode[]
  readonly #names: ReadonlyMap<DidKey, string>

  constructor(options: SimulationOptions) {
    const { seed, members, validators = 4, mapEpochMs = 5_000, certificateTtlMs = DAY_MS } = options
    const { recoveryAfterMs = Math.max(60_000, 3 * mapEpochMs), candidates = 0, rotateMs } = options
    this.seed = seed
    rememberSignatures(members * SIGNATURES_OF_A_NODE)
    this.clock = new VirtualClock(BEGIN, promiseSettler())
    this.trace = new Trace(options.sink)
    this.internet = new SimulatedInternet({
      time: this.clock,
      profile: options.links ?? INTERNET,
      random: randomFor(seed, 'internet'),
      trace: this.trace,
    })
    const { behindNat, minimums, change, onionKeys } = options
    const clocks = { mapEpochMs, certificateTtlMs, recoveryAfterMs, rotateMs }
    const plan = planMembers({ seed, members, validators, ...clocks, candidates, behindNat, minimums, change })
    this.file = plan.file
    this.#names = new Map(plan.members.map(({ key, name }) => [key.id, name]))
    const mapReader = sharedMapReader()
    this.nodes = plan.members.map((member) => {
      this.internet.addMachine(member.site)
      let starts = 0
      return new SimulatedNode({
        plan: member,
        file: plan.file,
        internet: this.internet,
        mapReader,
        makeProcess: () => new SimulatedProcess(member.name, member.site, this.clock),
        makeRandom: () => randomFor(seed, `${member.name} ${starts++}`),
        onionKeys: onionKeys === undefined ? undefined : (clock) => onionKeys(member.name, clock),
        logger: this.#loggerOf(member),
      })
    })
  }

  /** ms since the simulation began. */
  get now(): number {
    return this.clock.monotonic()
  }

  /** ms since the Unix epoch, whole, as every node with a right clock sees it. */
  get time(): number {
    return Math.floor(this.clock.now())
  }

  /** The nodes that run. */
  running(): SimulatedNode[] {
    return this.nodes.filter(({ overlay }) => overlay !== undefined)
  }

  /** A note in the trace at this moment. */
  note(event: string): void {
    this.trace.note(this.now, event)
  }

  async start(node: SimulatedNode): Promise<void> {
    this.note(`start ${node.name}`)
    const overlay = await node.start()
    overlay.on('map', ({ epoch, members }) => this.note(`map ${node.name} ${epoch} ${members}`))
    overlay.on('peer', ({ id, state }) => this.note(`peer ${node.name} ${this.#names.get(id) ?? id} ${state}`))
    overlay.on('admission', ({ state }) => this.note(`admission ${node.name} ${state}`))
  }

  kill(node: SimulatedNode, how: 'ended' | 'gone' = 'ended'): void {
    this.note(`${how} ${node.name}`)
    node.kill(how)
  }

  /** Lets so many ms pass. */
  async run(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  /** Lets time pass until the promise settles, and hands on what it settled with. @throws WeftError E_SIMULATION_STUCK */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    const call = { settled: false }
    const end = (): void => void (call.settled = true)
    promise.then(end, end)
    await this.clock.advance(0)
    const deadline = this.clock.now() + limitMs
    while (!call.settled) {
      const due = this.clock.nextDue
      if (due === undefined || due > deadline) throw this.#stuck('a call was not answered', limitMs)
      await this.clock.advance(Math.max(0, due - this.clock.now()))
    }
    return promise
  }

  /** Lets time pass until the condition holds, which is looked at every 100 ms. @throws WeftError E_SIMULATION_STUCK */
  async until(what: string, condition: () => boolean, limitMs = 60_000): Promise<void> {
    const deadline = this.clock.now() + limitMs
    while (!condition()) {
      if (this.clock.now() >= deadline) throw this.#stuck(`it did not come to pass that ${what}`, limitMs)
      await this.clock.advance(100)
    }
  }

  /** Ends all nodes where they are. */
  [Symbol.dispose](): void {
    for (const node of this.nodes) node.kill('gone')
    this.trace.flush()
  }

  #stuck(why: string, limitMs: number): WeftError {
    return new WeftError({
      code: 'E_SIMULATION_STUCK',
      cause: `In the simulation of the seed '${this.seed}' ${why} within ${limitMs} ms of its time, at ${this.now.toFixed(3)} ms.`,
      fix: 'Run it again with the same seed and a sink for its trace: it goes the same way.',
      details: { seed: this.seed, at: this.now },
    })
  }

  /** What nodes warn of is part of what happened. */
  #loggerOf({ name }: PlannedMember): Logger {
    const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const cause = fields['code'] ?? fields['error'] ?? fields['cause'] ?? ''
      this.note(`warning ${name} ${message} ${messageOf(cause).replaceAll('\n', ' ')}`)
    }
    return { debug: () => {}, info: () => {}, warn: note, error: note }
  }
}
