import { CircuitReason, type ExitCircuit } from '@weft/onion'
import type { FlushQueue } from './flush-queue.ts'
import { PacketBatch } from './packet-batch.ts'
import type { WorkerMessage, WorkerPort } from './worker-message.ts'
import { WorkerLane } from './worker-lane.ts'

export interface WorkerPeerInit {
  readonly port: WorkerPort
  readonly queue: FlushQueue
  /** A circuit of the other worker wants to join a session here, by its first packet; false when it may not. */
  join(circuit: ExitCircuit, packetNumber: number, payload: Uint8Array): boolean
}

/** A circuit of this worker whose session is the other's, and what it did not take yet. */
interface Lent {
  readonly circuit: ExitCircuit
  readonly kept: { readonly packetNumber: number; readonly payload: Uint8Array }[]
  /** The other worker was told of it. */
  isTold: boolean
}

/** Another packet worker of this node: what circuits here carry for its sessions, and circuits there for sessions here. */
export class WorkerPeer {
  readonly #init: WorkerPeerInit
  readonly #up: WorkerLane
  readonly #down: WorkerLane
  readonly #lent = new Map<number, Lent>()
  readonly #borrowed = new Map<number, BorrowedCircuit>()
  #nextId = 0
  #isOver = false
  /** Packets of clients that the other worker was too busy to take. */
  dropped = 0

  constructor(init: WorkerPeerInit) {
    const { port, queue } = init
    this.#init = init
    this.#up = new WorkerLane(port, 'up', () => queue.mark(this.#up))
    this.#down = new WorkerLane(port, 'down', () => queue.mark(this.#down))
    port.on('message', (message) => this.#onMessage(message))
    port.on('close', () => this.close())
  }

  /** Circuits that end here and carry for the other worker's sessions. */
  get lent(): number {
    return this.#lent.size
  }

  /** Hands a circuit over by its first packet, or by the next where the other worker has no room: all say what is joined until one is acknowledged. */
  lend(circuit: ExitCircuit, packetNumber: number, payload: Uint8Array): boolean {
    if (this.#isOver) return false
    const id = (this.#nextId = (this.#nextId + 1) >>> 0)
    // Ids come again after four thousand million circuits.
    if (this.#lent.has(id)) return false
    const lent: Lent = { circuit, kept: [], isTold: false }
    this.#lent.set(id, lent)
    this.#up.open(id)
    circuit.onPacket = (number, bytes) => this.#sendUp(id, lent, number, bytes)
    circuit.onRoom = () => this.#sendKept(id, lent)
    circuit.onEnd = (reason) => {
      this.#forgetLent(id)
      if (lent.isTold) this.#post({ type: 'end', way: 'up', id, reason })
    }
    this.#sendUp(id, lent, packetNumber, payload)
    return true
  }

  #sendUp(id: number, lent: Lent, packetNumber: number, payload: Uint8Array): void {
    const fill = (to: Uint8Array): number => {
      to.set(payload)
      return packetNumber
    }
    if (!lent.isTold && this.#up.count(id)) {
      lent.isTold = true
      const { payloadLength } = lent.circuit
      this.#post({ type: 'join', id, payloadLength, packetNumber, payload: payload.slice() })
    } else if (!lent.isTold || !this.#up.put(id, payload.length, fill)) {
      // As if it had been lost on its way: the session sends again what it held.
      this.dropped++
    }
  }

  /** Ends what runs over it. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#init.queue.remove(this.#up)
    this.#init.queue.remove(this.#down)
    for (const { circuit } of this.#lent.values()) circuit.destroy(CircuitReason.stopping)
    for (const circuit of this.#borrowed.values()) circuit.onEnd?.(CircuitReason.stopping)
    this.#lent.clear()
    this.#borrowed.clear()
    this.#init.port.close()
  }

  #post(message: WorkerMessage): void {
    if (this.#isOver) return
    // What was sent before it comes before it.
    this.#up.flush()
    this.#down.flush()
    this.#init.port.postMessage(message, [])
  }

  #forgetLent(id: number): void {
    const count = this.#lent.get(id)?.kept.length ?? 0
    this.#lent.delete(id)
    this.#up.close(id)
    if (count > 0) this.#post({ type: 'took', way: 'down', id, count })
  }

  #forgetBorrowed(id: number): void {
    this.#borrowed.delete(id)
    this.#down.close(id)
  }

  #onMessage(message: WorkerMessage): void {
    if (this.#isOver) return
    switch (message.type) {
      case 'join':
        this.#onJoin(message)
        break
      case 'up':
        this.#onUp(message)
        break
      case 'down':
        this.#onDown(message)
        break
      case 'took':
        this.#onTook(message)
        break
      case 'end':
        this.#onEnd(message)
        break
    }
  }

  #onJoin({ id, payloadLength, packetNumber, payload }: Extract<WorkerMessage, { type: 'join' }>): void {
    this.#post({ type: 'took', way: 'up', id, count: 1 })
    if (this.#borrowed.has(id)) return
    const end = (reason: number): void => {
      this.#forgetBorrowed(id)
      this.#post({ type: 'end', way: 'down', id, reason })
    }
    const circuit = new BorrowedCircuit(payloadLength, (fill) => this.#down.put(id, payloadLength, fill), end)
    this.#borrowed.set(id, circuit)
    this.#down.open(id)
    if (!this.#init.join(circuit, packetNumber, payload)) circuit.destroy(CircuitReason.sessionUnknown)
  }

  #onUp({ count, buffer }: Extract<WorkerMessage, { type: 'up' | 'down' }>): void {
    const took = new Map<number, number>()
    new PacketBatch(buffer).read(count, (id, packetNumber, payload) => {
      took.set(id, (took.get(id) ?? 0) + 1)
      this.#borrowed.get(id)?.onPacket?.(packetNumber, payload)
    })
    for (const [id, packets] of took) this.#post({ type: 'took', way: 'up', id, count: packets })
  }

  #onDown({ count, buffer }: Extract<WorkerMessage, { type: 'up' | 'down' }>): void {
    const took = new Map<number, number>()
    new PacketBatch(buffer).read(count, (id, packetNumber, payload) => {
      const lent = this.#lent.get(id)
      // The other worker sends no more until some of those that are kept have gone.
      if (lent !== undefined && (lent.kept.length > 0 || !sealed(lent.circuit, packetNumber, payload)))
        lent.kept.push({ packetNumber, payload: payload.slice() })
      else took.set(id, (took.get(id) ?? 0) + 1)
    })
    for (const [id, packets] of took) this.#post({ type: 'took', way: 'down', id, count: packets })
    this.#init.queue.schedule()
  }

  #sendKept(id: number, { circuit, kept }: Lent): void {
    let count = 0
    for (const { packetNumber, payload } of kept) {
      if (!sealed(circuit, packetNumber, payload)) break
      count++
    }
    if (count === 0) return
    kept.splice(0, count)
    this.#post({ type: 'took', way: 'down', id, count })
    this.#init.queue.schedule()
  }

  #onTook({ way, id, count }: Extract<WorkerMessage, { type: 'took' }>): void {
    if (way === 'up') return this.#up.took(id, count)
    this.#down.took(id, count)
    this.#borrowed.get(id)?.onRoom?.()
  }

  #onEnd({ way, id, reason }: Extract<WorkerMessage, { type: 'end' }>): void {
    if (way === 'up') {
      const circuit = this.#borrowed.get(id)
      this.#forgetBorrowed(id)
      circuit?.onEnd?.(reason)
      return
    }
    const lent = this.#lent.get(id)
    this.#forgetLent(id)
    lent?.circuit.destroy(reason)
    this.#init.queue.schedule()
  }
}

function sealed(circuit: ExitCircuit, packetNumber: number, payload: Uint8Array): boolean {
  return circuit.seal((to) => {
    to.set(payload)
    return packetNumber
  })
}

/** A circuit of the other worker, as a session here sees it. */
class BorrowedCircuit implements ExitCircuit {
  readonly payloadLength: number
  onPacket: ExitCircuit['onPacket']
  onEnd: ExitCircuit['onEnd']
  onRoom: ExitCircuit['onRoom']
  readonly seal: ExitCircuit['seal']
  readonly destroy: ExitCircuit['destroy']

  constructor(payloadLength: number, seal: ExitCircuit['seal'], end: (reason: number) => void) {
    this.payloadLength = payloadLength
    this.seal = seal
    let isOver = false
    this.destroy = (reason) => {
      if (isOver) return
      isOver = true
      this.onEnd = undefined
      this.onRoom = undefined
      end(reason)
    }
  }
}
