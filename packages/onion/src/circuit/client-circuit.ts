import { WeftError } from '@weft/core'
import { type CircuitCommand, LinkCommand } from '../link/link-command.ts'
import { type Packet } from '../packet/packet.ts'
import { MAX_HOPS, MIN_HOPS, payloadLength } from '../packet/sizes.ts'
import { kindAt, nestedSpan } from '../packet/span.ts'
import type { Suite } from '../packet/suite.ts'
import { CircuitBuild } from './circuit-build.ts'
import { type CircuitLink } from './circuit-link.ts'
import { ClientCounts, type CountSample } from './client-counts.ts'
import { type ClientHop } from './client-hop.ts'
import { ClientPayments } from '../receipts/client-payments.ts'
import { ClientShaping } from './client-shaping.ts'
import { type ClientShared } from './client-shared.ts'
import { earlyTime } from './early-gate.ts'
import { type Control, TOKEN_BYTES, readControl, writeControl } from './control.ts'
import { type SealingLayer, sessionKind, UnitKind } from './layer.ts'
import { readCreated, readDestroy, writeCreate, writeDestroy } from './link-content.ts'
import { CIRCUIT_OWED, CircuitReason } from './reasons.ts'
import type { Tier } from '../shaping/tier.ts'

/** `create` and `extend` without an answer are sent again after so long, ms. */
const RETRY_MS = 500

export interface ClientCircuitOptions {
  /** Link to the first hop. */
  readonly link: CircuitLink
  /** 2 to 5 hops, entry first, exit last: Ed25519 node key and X25519 onion key of each. */
  readonly hops: readonly { readonly id: Uint8Array; readonly onionKey: Uint8Array }[]
  /** The circuit must be ready within this time, ms. */
  readonly timeoutMs: number
  /** What it does against traffic analysis; `off` when left out. */
  readonly tier?: Tier
  readonly onReady?: () => void
  /** A session's packet from the exit: authentic, and each number once. `payload` is valid during the call. */
  readonly onPacket?: (packetNumber: number, payload: Uint8Array) => void
  /** The circuit is gone: why ({@link CircuitReason}, {@link CIRCUIT_OWED}) and which hop it was that failed or vanished. Not called after `destroy`. */
  readonly onEnd?: (reason: number, atHop: number) => void
  readonly onPong?: (hop: number, ms: number) => void
  /** A hop told what it counted. */
  readonly onCounted?: (hop: number, sample: CountSample) => void
}

/** What the client itself saw of its circuit, by hop where it is a list; whole numbers since the circuit was begun. */
export interface CircuitEvidence {
  /** Units of each hop that opened: its tag was right, and the unit was none that had come before. */
  readonly opened: readonly number[]
  /** Cells that came back from the last hop, each with the right tag of every hop. */
  readonly verified: number
  /** Cells that did not open at some layer, or did not belong where they came. None of them counts as come. */
  readonly rejected: number
  /** Cells that were sent with a unit of the hop. */
  readonly sealed: readonly number[]
  /** Questions for counters, and answers. */
  readonly asked: readonly number[]
  readonly answered: readonly number[]
}

/**
 * A circuit as its client sees it: builds it in one round trip, wraps and unwraps all layers. Made by `ClientCircuits`, which hands
 * it what comes from its link.
 */
export class ClientCircuit {
  readonly link: CircuitLink
  /** Bytes of a session's packet. */
  readonly payloadLength: number
  readonly #shared: ClientShared
  readonly #options: ClientCircuitOptions
  readonly #circuitId: number
  readonly #forget: () => void
  readonly #hops: ClientHop[] = []
  #state: 'building' | 'ready' | 'closed' = 'building'
  /** The hops behind `#hops`, in their order. */
  readonly #builds: CircuitBuild[] = []
  #retryAt = 0
  readonly #deadline: number
  /** Of a circuit with a tier, once it is ready. */
  #shaping: ClientShaping | undefined
  /** Of a client that pays, from its first cell on: hops count those by which it is built, too. */
  #payments: ClientPayments | undefined
  #dropped = 0
  readonly #counts: ClientCounts
  #round = 0

  /**
   * `register` gives the circuit its id, `forget` takes it back.
   * @throws WeftError E_CIRCUIT_HOPS when the hops are not 2 to 5 different nodes.
   */
  constructor(
    shared: ClientShared,
    options: ClientCircuitOptions,
    register: (circuit: ClientCircuit) => number,
    forget: (circuitId: number) => void,
  ) {
    checkHops(options.hops)
    this.#shared = shared
    this.#options = options
    this.link = options.link
    this.payloadLength = payloadLength(options.hops.length - 1)
    this.#counts = new ClientCounts(options.hops.length)
    this.#deadline = shared.clock.monotonic() + options.timeoutMs
    this.#circuitId = register(this)
    this.#forget = () => forget(this.#circuitId)
  }

  get state(): 'building' | 'ready' | 'closed' {
    return this.#state
  }

  /** Time to each hop and back, ms: of its last ping, of its handshake before the first; undefined where not known. */
  get rttMs(): readonly (number | undefined)[] {
    return this.#options.hops.map((_, at) => this.#hops[at]?.rttMs)
  }

  /** What seals the layer of each hop; undefined of those that are not there yet. */
  get suites(): readonly (Suite | undefined)[] {
    return this.#options.hops.map((_, at) => this.#hops[at]?.suite)
  }

  /** Cells that did not open or did not belong where they came. */
  get dropped(): number {
    return this.#dropped
  }

  /** Cells sent and taken since the circuit was begun, whatever they held. */
  get cells(): number {
    return (this.#counts.sealed[0] as number) + (this.#counts.opened[0] as number)
  }

  get evidence(): CircuitEvidence {
    const { sealed, opened, asked, answered } = this.#counts
    return {
      opened: [...opened],
      verified: opened.at(-1) ?? 0,
      rejected: this.#dropped,
      sealed: [...sealed],
      asked: [...asked],
      answered: [...answered],
    }
  }

  /** Payments to each hop that became due by this client's own count, and those that it took; undefined where nothing is paid. */
  get payments(): Pick<ClientPayments, 'due' | 'taken'> | undefined {
    return this.#payments
  }

  /** Its tier as far as each hop takes it, and padding cells so far; undefined without a tier and until it is ready. For its owner alone. */
  get shaping(): Pick<ClientShaping, 'taken' | 'paddingSent' | 'paddingReceived'> | undefined {
    return this.#shaping
  }

  /** Sends the first messages to all hops; called once. */
  start(): void {
    const { networkId, random, padding, clock, suites } = this.#shared
    const { hops } = this.#options
    const nowMs = clock.monotonic()
    const time = earlyTime(clock.now())
    this.#beginPayments()
    for (const [depth, hop] of hops.entries()) {
      const last = depth === hops.length - 1
      const build = CircuitBuild.start({ networkId, random, padding, suites, hop, depth, last, nowMs, time })
      if (build === undefined) return this.#lost(CircuitReason.handshakeRefused, depth)
      this.#builds.push(build)
    }
    this.#sendHandshakes()
  }

  /**
   * Sends a session's packet to the exit: `fill` writes all of the payload and returns its packet number, below 2^52 and never used before.
   * @returns false, without a call of `fill`, unless the circuit is ready; false also when its link took nothing.
   */
  seal(fill: (payload: Uint8Array) => number): boolean {
    if (this.#state !== 'ready') return false
    const last = this.#hops.length - 1
    const packetNumber = fill(this.#shared.slot.nestedPayload(last))
    if (this.#shaping === undefined) return this.#sendUnit(last, UnitKind.session, packetNumber)
    this.#wrap(last, UnitKind.session, packetNumber)
    if (this.#shaping.hold(this.#shared.slot.body)) return true
    return this.#sendReal(this.#shared.slot)
  }

  /** Asks a hop (0 is the entry) for a sign of life; `onPong` tells the answer. Nothing happens for a hop that is not there (yet). */
  ping(hop: number): void {
    const to = this.#hops[hop]
    if (to === undefined || this.#state === 'closed') return
    const token = this.#shared.random.bytes(TOKEN_BYTES)
    to.pingSent(token, this.#shared.clock.monotonic())
    this.#sendControl(hop, { kind: 'ping', token })
  }

  /**
   * Asks every hop what it counted, the entry first, one cell each and nothing between them; `onCounted` tells each answer. A hop answers 8 a second.
   * Nothing happens until the circuit is ready.
   */
  count(): void {
    if (this.#state !== 'ready') return
    this.#round++
    for (let hop = 0; hop < this.#hops.length; hop++) {
      const token = this.#shared.random.bytes(TOKEN_BYTES)
      if (this.#sendControl(hop, { kind: 'count', token }))
        this.#counts.questionSent(hop, this.#round, token, this.#shared.clock.monotonic())
    }
  }

  /** Ends the circuit and wipes its keys; twice does nothing. */
  destroy(reason: number = CircuitReason.none): void {
    this.#close(reason)
  }

  /** A cell of this circuit; opened in place. */
  onCell(packet: Packet): void {
    const last = this.#options.hops.length - 1
    let depth = 0
    for (; depth < this.#hops.length; depth++) {
      const hop = this.#hops[depth] as ClientHop
      const span = nestedSpan(depth)
      const counter = hop.backward.open(packet, packet, span)
      if (counter < 0) break
      this.#counts.unitOpened(depth)
      const kind = packet.bytes[kindAt(span)]
      if (depth === last) {
        const payload = packet.nestedPayload(depth)
        const meant = sessionKind(counter, kind)
        if (meant === UnitKind.session) {
          this.#shaping?.received()
          this.#carried(depth + 1)
          this.#options.onPacket?.(counter, payload)
          return
        }
        if (meant === UnitKind.padding && this.#onPadding(depth)) return
        if (meant !== UnitKind.control) break
        this.#shaping?.other()
        this.#onControl(depth, payload)
        return
      }
      if (kind === UnitKind.padding && this.#onPadding(depth)) return
      if (kind === UnitKind.control) {
        this.#onControl(depth, packet.nestedPayload(depth))
        return
      }
      if (kind !== UnitKind.pass) break
    }
    // Also what nobody can use was carried by those whose layers it had.
    this.#carried(depth)
    this.#dropped++
  }

  /** A link message about this circuit. */
  onMessage(command: CircuitCommand, content: Uint8Array): void {
    if (command === LinkCommand.destroy) this.#lost(readDestroy(content), 0, false)
    else if (command === LinkCommand.created) this.#onAnswer(0, readCreated(content))
  }

  onLinkDown(): void {
    this.#lost(CircuitReason.linkLost, 0, false)
  }

  /** When `onTimeout` is due, monotonic ms; undefined once the circuit is built and its hops know the tier: what it carries keeps it then. */
  nextTimeout(): number | undefined {
    if (this.#state === 'building') return Math.min(this.#retryAt, this.#deadline)
    const [tell, pay] = [this.#shaping?.tellAt, this.#payments?.nextLook]
    return tell === undefined || pay === undefined ? (tell ?? pay) : Math.min(tell, pay)
  }

  /** Sends again what got no answer, gives up at the deadline. */
  onTimeout(): void {
    this.#shaping?.onTimeout()
    const now = this.#shared.clock.monotonic()
    if ((this.#payments?.nextLook ?? Infinity) <= now) this.#payments?.again(now)
    if (this.#state !== 'building') return
    if (now >= this.#deadline) this.#lost(CircuitReason.nextHopNotReached, this.#hops.length)
    else if (now >= this.#retryAt) {
      this.#askAgain()
    }
  }

  #askAgain(): void {
    for (const build of this.#builds) build.resent = true
    this.#sendHandshakes()
  }

  /** Asks all hops that did not answer yet: the first by `create`, each other one over the one before, under its early key if need be. */
  #sendHandshakes(): void {
    this.#retryAt = this.#shared.clock.monotonic() + RETRY_MS
    const answered = this.#hops.length
    for (const [at, { message }] of this.#builds.entries())
      if (answered + at > 0) this.#sendControl(answered + at - 1, { kind: 'extend', message })
      // The link may still be in the making; if it never comes up, its end or the deadline says so.
      else this.link.sendMessage(LinkCommand.create, this.#circuitId, writeCreate(this.#shared.content, 0, message))
  }

  /** The answer of the hop at `depth`; one that came twice finds another hop being built, or none. */
  #onAnswer(depth: number, answer: Uint8Array | undefined): void {
    const [build] = this.#builds
    if (build === undefined || depth !== this.#hops.length) return
    const { clock, padding } = this.#shared
    const hop = answer === undefined ? undefined : build.finish(answer, padding, clock.monotonic())
    if (hop === undefined) return this.#lost(CircuitReason.handshakeRefused, depth)
    this.#builds.shift()
    this.#hops.push(hop)
    if (this.#builds.length === 0) {
      this.#state = 'ready'
      this.#shape()
      this.#options.onReady?.()
    } else if (build.earlyRefused) this.#askAgain()
  }

  #onControl(depth: number, content: Uint8Array): void {
    const control = readControl(content)
    if (control?.kind === 'receipt') this.#payments?.countOwn(depth, this.#shared.clock.monotonic())
    else this.#carried(depth)
    if (control?.kind === 'extended') this.#onAnswer(depth + 1, control.message)
    else if (control?.kind === 'ended') this.#lost(control.reason, depth + 1)
    else if (control?.kind === 'failed') {
      if (depth + 1 === this.#hops.length && this.#builds.length > 0) this.#lost(control.reason, depth + 1)
    } else if (control?.kind === 'pong') {
      const ms = this.#hops[depth]?.pongCame(control.token, this.#shared.clock.monotonic())
      if (ms !== undefined) this.#options.onPong?.(depth, ms)
    } else if (control?.kind === 'counted') {
      const { token, counts } = control
      const now = this.#shared.clock.monotonic()
      const padding = this.#shaping?.paddingAtMost(depth, now, counts.came) ?? 0
      const sample = this.#counts.answerOpened(depth, token, counts, now, padding)
      if (sample !== undefined) this.#options.onCounted?.(depth, sample)
    } else if (control?.kind === 'tiered') this.#shaping?.onTaken(depth, control.tier)
    else if (control?.kind === 'receipt' && this.#payments !== undefined) {
      if (!this.#payments.receipt(depth, control, this.#shared.clock.monotonic())) this.#dropped++
    } else this.#dropped++
  }

  /** From here on the circuit is of its tier. */
  #shape(): void {
    const { shaping } = this.#shared
    this.#shaping = ClientShaping.of(this.#options.tier ?? 'off', this.#hops.length, shaping, {
      pass: () => void this.#sendReal(shaping.slot),
      pad: (depth) => this.#sendPadding(depth),
      tell: (depth, tier) => this.#sendControl(depth, { kind: 'tier', tier }),
    })
    this.#shaping?.start()
  }

  #beginPayments(): void {
    const { purse, random, clock } = this.#shared
    if (purse === undefined) return
    this.#payments = new ClientPayments({
      purse,
      random,
      hops: this.#options.hops.map(({ id }) => id),
      now: clock.monotonic(),
      hasTier: (this.#options.tier ?? 'off') !== 'off',
      send: (depth, pay) => this.#sendControl(depth, { kind: 'pay', ...pay }),
    })
  }

  #sendPadding(depth: number): void {
    const { slot } = this.#shared
    slot.nestedPayload(depth).fill(0)
    this.#sendUnit(depth, UnitKind.padding, this.#sealing(depth).next())
  }

  /** True where it was as agreed; the circuit may have ended by it. */
  #onPadding(depth: number): boolean {
    const taken = this.#shaping?.onPadding(depth)
    if (taken === false) this.#lost(CircuitReason.malformed, depth)
    if (taken === true) this.#carried(depth)
    return taken !== undefined
  }

  /** A sealed cell of the session. */
  #sendReal(slot: Packet): boolean {
    const isSent = this.#sendCell(slot, this.#hops.length - 1, UnitKind.session)
    if (isSent) this.#shaping?.sent()
    return isSent
  }

  #sendControl(depth: number, control: Control): boolean {
    writeControl(this.#shared.slot.nestedPayload(depth), control)
    return this.#sendUnit(depth, UnitKind.control, this.#sealing(depth).next())
  }

  /** What seals units to the hop at `depth`: the agreed key, or the early one before its answer came. */
  #sealing(depth: number): SealingLayer {
    return this.#hops[depth]?.forward ?? (this.#builds[depth - this.#hops.length] as CircuitBuild).early
  }

  /** Wraps what stands in the slot's payload at `depth` in that hop's layer and those of all hops before it. */
  #sendUnit(depth: number, kind: number, counter: number): boolean {
    this.#wrap(depth, kind, counter)
    return this.#sendCell(this.#shared.slot, depth, kind)
  }

  /** A cell with a unit for the hop at `depth`. */
  #sendCell(slot: Packet, depth: number, kind: number): boolean {
    const isSent = this.link.sendCell(this.#circuitId, slot)
    if (!isSent) return false
    this.#counts.cellSent(depth, kind !== UnitKind.session)
    // Behind a question for counters the next one goes, and nothing between them.
    if (kind === UnitKind.control) this.#payments?.count(depth, this.#shared.clock.monotonic())
    else this.#carried(kind === UnitKind.session ? depth + 1 : depth)
    return true
  }

  /** A cell that the first so many hops have passed on, or gave to the session, or will. */
  #carried(hops: number): void {
    const payments = this.#payments
    if (payments === undefined) return
    const now = this.#shared.clock.monotonic()
    if (this.#state === 'ready') payments.carried(hops, now)
    else payments.count(hops, now)
  }

  #wrap(depth: number, kind: number, counter: number): void {
    const { slot } = this.#shared
    for (let at = depth; at >= 0; at--) {
      const sealing = this.#sealing(at)
      const span = nestedSpan(at)
      slot.bytes[kindAt(span)] = at === depth ? kind : UnitKind.pass
      sealing.seal(slot, slot, span, at === depth ? counter : sealing.next())
    }
  }

  /** `tell`: the entry does not know yet. */
  #lost(reason: number, atHop: number, tell = true): void {
    if (this.#state === 'closed') return
    // What a hop says of its pay counts as far as this side knows of it: else it could end whichever circuits it likes by that.
    const isOwed = reason === CircuitReason.unpaid && this.#payments?.owes(atHop) === true
    this.#close(CircuitReason.none, tell)
    this.#options.onEnd?.(isOwed ? CIRCUIT_OWED : reason, atHop)
  }

  #close(reason: number, tell = true): void {
    if (this.#state === 'closed') return
    // A session's last words are among what waits.
    if (tell) this.#shaping?.flush()
    this.#shaping?.close()
    this.#payments = undefined
    this.#state = 'closed'
    for (const build of this.#builds) build.wipe()
    this.#builds.length = 0
    for (const hop of this.#hops) hop.wipe()
    this.#forget()
    if (tell) this.link.sendMessage(LinkCommand.destroy, this.#circuitId, writeDestroy(this.#shared.content, reason))
  }
}

function checkHops(hops: ClientCircuitOptions['hops']): void {
  const nodes = new Set(hops.map((hop) => hop.id.toHex()))
  if (hops.length >= MIN_HOPS && hops.length <= MAX_HOPS && nodes.size === hops.length) return
  throw new WeftError({
    code: 'E_CIRCUIT_HOPS',
    cause: `A circuit of ${hops.length} hops over ${nodes.size} different nodes was asked for.`,
    fix: `Choose ${MIN_HOPS} to ${MAX_HOPS} hops, each a node of its own.`,
    details: { hops: hops.length, nodes: nodes.size },
  })
}
