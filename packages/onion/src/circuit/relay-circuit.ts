import { type Packet } from '../packet/packet.ts'
import { newAead, Suite } from '../packet/suite.ts'
import { payloadLength, unitLength } from '../packet/sizes.ts'
import { type Span, kindAt, movedSpan, unitSpan } from '../packet/span.ts'
import { wipe } from '../sodium.ts'
import { TokenBucket } from '../token-bucket.ts'
import { type CircuitKeys, wipeCircuitKeys } from './circuit-keys.ts'
import { type CircuitLink } from './circuit-link.ts'
import { type Control, writeControl } from './control.ts'
import { type RelayExitCircuit } from './exit-circuit.ts'
import { type Extension, type NextEnd } from './extension.ts'
import type { HopCounts } from './hop-counts.ts'
import { isEarlyUnit, OpeningLayer, SESSION_CONTROL, SealingLayer, sessionKind, UnitKind } from './layer.ts'
import type { CellFlow } from '../queue/cell-flow.ts'
import type { CellQueue } from '../queue/cell-queue.ts'
import type { CircuitShaper } from '../shaping/circuit-shaper.ts'
import type { Tier } from '../shaping/tier.ts'
import type { HopAccount } from '../receipts/hop-account.ts'
import { CircuitPurpose } from './purpose.ts'
import { type RelayShared } from './relay-shared.ts'
import { type Pay, ReceiptAnswer } from '../receipts/receipt.ts'

export interface RelayCircuitInit {
  readonly shared: RelayShared
  /** Where cells wait that cannot go on at once. */
  readonly queue: CellQueue<CircuitWay>
  readonly previous: CircuitLink
  readonly previousId: number
  readonly depth: number
  readonly purpose: CircuitPurpose
  readonly createHash: Uint8Array
  readonly answer: Uint8Array
  /** Taken over: the layers copy them, and they are wiped. */
  readonly keys: CircuitKeys
  /** Of units that may come before the client has the answer; taken over as the keys are. */
  readonly earlyKey: Uint8Array | undefined
  /** Of a hop that wants pay. */
  readonly account?: HopAccount | undefined
}

/** Questions for counters that a circuit has answered a second, and at once after a pause. */
export const COUNTS_PER_SECOND = 8

/** One direction of a circuit at one of its hops, by where its cells go. */
export interface CircuitWay {
  readonly circuit: RelayCircuit
  readonly towardsClient: boolean
}

/** One circuit at one of its hops: the layer's two keys, and the packet path. What ends and extends it is the node's business. */
export class RelayCircuit {
  readonly previous: CircuitLink
  readonly previousId: number
  readonly depth: number
  readonly purpose: CircuitPurpose
  readonly createHash: Uint8Array
  /** The answer to `create`; forgotten when a unit under the keys shows that it came. */
  answer: Uint8Array | undefined
  next: NextEnd | undefined
  extension: Extension | undefined
  exit: RelayExitCircuit | undefined
  /** What the client was told that this hop does; undefined until it asked. */
  tier: Tier | undefined
  /** Of a circuit with a tier. */
  shaper: CircuitShaper | undefined
  /** What its client pays; undefined where nothing is to be paid. */
  readonly account: HopAccount | undefined
  /** Monotonic ms; when a unit opened last. */
  lastOpenedMs: number
  /** Cells moved since {@link RelayCircuits.traffic} was last asked. */
  moved = 0
  readonly #shared: RelayShared
  readonly #queue: CellQueue<CircuitWay>
  readonly #forward: OpeningLayer
  readonly #backward: SealingLayer
  /** Until a unit under the agreed key came. */
  #early: OpeningLayer | undefined
  readonly #session: boolean
  /** Made when the first cell has to wait. */
  #waitingForward: CellFlow<CircuitWay> | undefined
  #waitingBackward: CellFlow<CircuitWay> | undefined
  /** As {@link HopCounts} has them; cells that the queue dropped are counted there. */
  #opened = 0
  #passed = 0
  #came = 0
  #unsent = 0
  #sent = 0
  /** Made when the first question comes. */
  #answers: TokenBucket | undefined

  constructor(init: RelayCircuitInit) {
    this.#shared = init.shared
    this.#queue = init.queue
    this.previous = init.previous
    this.previousId = init.previousId
    this.depth = init.depth
    this.purpose = init.purpose
    this.createHash = init.createHash
    this.answer = init.answer
    this.account = init.account
    this.lastOpenedMs = init.shared.clock.monotonic()
    this.#session = init.purpose === CircuitPurpose.session
    const { suite, forward, backward } = init.keys
    const { suites, padding } = init.shared
    this.#forward = new OpeningLayer(newAead(suite, forward, suites), this.#session)
    this.#backward = new SealingLayer(newAead(suite, backward, suites), padding, this.#session ? SESSION_CONTROL : 0)
    wipeCircuitKeys(init.keys)
    const { earlyKey } = init
    if (earlyKey === undefined) return
    this.#early = new OpeningLayer(newAead(Suite.chacha20Poly1305, earlyKey, suites), true)
    wipe(earlyKey)
  }

  /** Keeps a cell until its turn. */
  wait(towardsClient: boolean, packet: Packet): void {
    this.#queue.enqueue(this.#flow(towardsClient), packet.body)
  }

  #flow(towardsClient: boolean): CellFlow<CircuitWay> {
    if (towardsClient)
      return (this.#waitingBackward ??= this.#queue.flow(
        { circuit: this, towardsClient },
        this.previous.peerName,
        this.#session,
      ))
    return (this.#waitingForward ??= this.#queue.flow({ circuit: this, towardsClient }, this.previous.peerName, false))
  }

  /** Cells of a session that begins here wait sealed. */
  get isOwn(): boolean {
    return this.#session
  }

  /** Sends a cell that {@link sealSession} sealed, and that had to wait. */
  sendSealed(packet: Packet): void {
    this.#sendReal(packet)
  }

  /**
   * A cell from the client's side: opens its unit and passes on what is not for this hop.
   * @returns the content of a control message, valid until the next packet; undefined when there is nothing left to do.
   */
  onForward(packet: Packet): Uint8Array | undefined {
    return this.#session ? this.#openAtExit(packet) : this.#openThrough(packet)
  }

  #openThrough(packet: Packet): Uint8Array | undefined {
    const { through, drops, clock, padding } = this.#shared
    const early = this.#early !== undefined && isEarlyUnit(packet) ? this.#early : undefined
    if ((early ?? this.#forward).open(through, packet, movedSpan(this.depth)) < 0) {
      drops.unopened++
      return undefined
    }
    this.#opened++
    this.lastOpenedMs = clock.monotonic()
    if (early === undefined) this.#answerCame()
    const length = payloadLength(this.depth)
    const kind = through.body[length]
    if (kind === UnitKind.control) return through.body.subarray(0, length)
    if (kind === UnitKind.padding && early === undefined) {
      this.shaper?.paddingReceived()
      return undefined
    }
    const { next, extension } = this
    if (kind !== UnitKind.pass || next === undefined || extension === undefined) {
      drops.outOfPlace++
      return undefined
    }
    // While the extension waits, what comes are early units of the next hop; any other shows that the client has its answer.
    if (extension.state === 'made' && extension.answer !== undefined && !isEarlyUnit(through))
      extension.answer = undefined
    padding.fill(through.body, length) // also over the kind, which is this hop's own
    if (this.#count(next.link.sendCell(next.circuitId, through))) {
      this.#passed++
      this.account?.carried(this.lastOpenedMs)
    }
    this.shaper?.received()
    return undefined
  }

  #openAtExit(packet: Packet): Uint8Array | undefined {
    const { drops, clock } = this.#shared
    const span = unitSpan(this.depth)
    const counter = this.#forward.open(packet, packet, span)
    if (counter < 0) {
      drops.unopened++
      return undefined
    }
    this.#opened++
    this.lastOpenedMs = clock.monotonic()
    this.moved++
    this.#answerCame()
    const payload = packet.unitPayload(this.depth)
    const kind = sessionKind(counter, packet.bytes[kindAt(span)])
    if (kind === UnitKind.control) return payload
    if (kind === UnitKind.padding) {
      this.shaper?.paddingReceived()
      return undefined
    }
    if (kind !== UnitKind.session) {
      drops.outOfPlace++
      return undefined
    }
    this.#passed++
    this.account?.carried(this.lastOpenedMs)
    this.shaper?.received()
    this.exit?.onPacket?.(counter, payload)
    return undefined
  }

  /** A unit under the agreed key shows that the client has it. */
  #answerCame(): void {
    this.answer = undefined
    this.#early?.wipe()
    this.#early = undefined
  }

  /** A cell from the next hop: becomes the content of a unit of this hop's own. The packet's padding is written over. */
  onBackward(packet: Packet): void {
    const { through, drops } = this.#shared
    if (this.extension?.state !== 'made') {
      drops.outOfPlace++
      return
    }
    const span = movedSpan(this.depth)
    packet.bytes[kindAt(span)] = UnitKind.pass
    this.#seal(through, packet, span, this.#backward.next())
    this.#sendReal(through)
  }

  /** Says something to the client. */
  sendControl(control: Control): void {
    const { own } = this.#shared
    writeControl(own.unitPayload(this.depth), control)
    this.#sealOwn(UnitKind.control, this.#backward.next())
    this.#sendBack(this.#shared.own)
  }

  /** What this hop counted until now. */
  get counts(): HopCounts {
    const late = this.#waitingBackward?.dropped ?? 0
    return {
      opened: this.#opened,
      passed: this.#passed,
      droppedForward: this.#waitingForward?.dropped ?? 0,
      came: this.#came + late,
      droppedBackward: this.#unsent + late,
      sent: this.#sent,
    }
  }

  /** Answers the client's question for {@link counts}; what is asked too often has no answer. */
  sendCounts(token: Uint8Array): void {
    const now = this.#shared.clock.monotonic()
    this.#answers ??= new TokenBucket(COUNTS_PER_SECOND, COUNTS_PER_SECOND, now)
    if (!this.#answers.take(now)) return
    const { counts } = this
    // As it will be once this answer is on its way: when it is not, nobody reads it.
    this.sendControl({ kind: 'counted', token, counts: { ...counts, sent: counts.sent + 1 } })
  }

  /** The client pays, or asks what is due. */
  takePay(pay: Pay): void {
    const { account } = this
    if (account === undefined) {
      this.sendControl({ kind: 'receipt', token: pay.token, answer: ReceiptAnswer.none, due: 0, taken: 0, keys: [] })
      return
    }
    account.pay(pay, this.#shared.clock.monotonic(), (receipt) => this.sendControl({ kind: 'receipt', ...receipt }))
  }

  /** Sends a cell to the client that is dropped there. */
  sendPadding(): void {
    this.#shared.own.unitPayload(this.depth).fill(0)
    this.#sealOwn(UnitKind.padding, this.#backward.next())
    this.#sendBack(this.#shared.own)
  }

  /** Sends a session's packet to the client; `fill` writes the payload and returns its packet number. */
  sealSession(fill: (payload: Uint8Array) => number): boolean {
    const { own } = this.#shared
    if (this.shaper?.delays(true) === true) return this.#sealHeld(this.shaper, fill)
    const waits = !this.#queue.mayPass()
    if (waits && !this.#queue.hasRoom(this.#flow(true))) return false
    this.#sealOwn(UnitKind.session, fill(own.unitPayload(this.depth)))
    if (!waits) return this.#sendReal(own)
    this.wait(true, own)
    return true
  }

  #sealHeld(shaper: CircuitShaper, fill: (payload: Uint8Array) => number): boolean {
    const { own } = this.#shared
    if (!this.#queue.hasRoom(this.#flow(true))) return false
    this.#sealOwn(UnitKind.session, fill(own.unitPayload(this.depth)))
    if (!shaper.hold(true, own.body)) this.passOwn(own)
    return true
  }

  /** A sealed cell of the session, when its time came. */
  passOwn(packet: Packet): void {
    if (this.#queue.mayPass()) this.sendSealed(packet)
    else this.wait(true, packet)
  }

  #sealOwn(kind: number, counter: number): void {
    const { own } = this.#shared
    const span = unitSpan(this.depth)
    own.bytes[kindAt(span)] = kind
    this.#seal(own, own, span, counter)
  }

  #seal(to: Packet, from: Packet, span: Span, counter: number): void {
    const { padding } = this.#shared
    this.#backward.seal(to, from, span, counter)
    if (this.depth > 0) padding.fill(to.body, unitLength(this.depth))
  }

  /** A cell from the next hop, or of the session that begins here. */
  #sendReal(slot: Packet): boolean {
    this.#came++
    const isSent = this.#sendBack(slot)
    if (isSent) {
      this.shaper?.sent()
      this.account?.carried(this.#shared.clock.monotonic())
    } else this.#unsent++
    return isSent
  }

  #sendBack(slot: Packet): boolean {
    const isSent = this.#count(this.previous.sendCell(this.previousId, slot))
    if (isSent) this.#sent++
    return isSent
  }

  #count(sent: boolean): boolean {
    if (sent) {
      this.moved++
      this.#shared.forwarded++
    } else this.#shared.drops.linkBusy++
    return sent
  }

  /** A session's last words go before the end of their circuit does. */
  sendWaiting(): void {
    this.shaper?.flush()
    if (this.#session && this.#waitingBackward !== undefined) this.#queue.drain(this.#waitingBackward)
  }

  /** Forgets keys and what waits. */
  wipe(): void {
    this.shaper?.close()
    this.account?.end()
    if (this.#waitingForward !== undefined) this.#queue.remove(this.#waitingForward)
    if (this.#waitingBackward !== undefined) this.#queue.remove(this.#waitingBackward)
    this.#forward.wipe()
    this.#backward.wipe()
    this.#early?.wipe()
  }
}
