import type { Flushable } from './flush-queue.ts'
import { PacketBatch } from './packet-batch.ts'
import type { WorkerPort } from './worker-message.ts'

/** Packets on their way to the other worker, or waiting there, at most: of one circuit, and of all. 1,400 bytes each. */
export const LANE_PACKETS_OF_CIRCUIT = 128
export const LANE_PACKETS = 2_048

/** One direction between two packet workers: gathers packets of circuits into batches, and knows how many the other one has not taken yet. */
export class WorkerLane implements Flushable {
  readonly #port: WorkerPort
  readonly #way: 'up' | 'down'
  /** To be flushed at the end of the turn. */
  readonly #mark: () => void
  #batch: PacketBatch | undefined
  /** Of each circuit: packets that were not taken. */
  readonly #waiting = new Map<number, number>()
  /** The same of circuits that are over: what they had on the way lies in the port until it is read. */
  readonly #over = new Map<number, number>()
  #all = 0

  constructor(port: WorkerPort, way: 'up' | 'down', mark: () => void) {
    this.#port = port
    this.#way = way
    this.#mark = mark
  }

  open(id: number): void {
    if (!this.#waiting.has(id)) this.#waiting.set(id, 0)
  }

  /** What it has on the way counts until it was taken. */
  close(id: number): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    if (waiting > 0) this.#over.set(id, waiting)
  }

  /** Packets that circuits have on the way now, those that are over too. */
  get size(): number {
    return this.#all
  }

  /** Counts a packet that goes in a message of its own; false when too many are on their way. */
  count(id: number): boolean {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined || waiting >= LANE_PACKETS_OF_CIRCUIT) return false
    // Nobody has more than is left for the others.
    if (waiting >= LANE_PACKETS - this.#all) return false
    this.#waiting.set(id, waiting + 1)
    this.#all++
    return true
  }

  /** As `ExitCircuit.seal`: false, without a call of `fill`, when too many are on their way. */
  put(id: number, length: number, fill: (payload: Uint8Array) => number): boolean {
    if (!this.count(id)) return false
    if (this.#batch === undefined) this.#mark()
    this.#batch ??= new PacketBatch()
    this.#batch.add(id, length, fill)
    if (this.#batch.isFull) this.flush()
    return true
  }

  /** The other worker took so many. */
  took(id: number, count: number): void {
    const circuits = this.#waiting.has(id) ? this.#waiting : this.#over
    const waiting = circuits.get(id)
    if (waiting === undefined || !(count > 0)) return
    const taken = Math.min(count, waiting)
    this.#all -= taken
    if (circuits === this.#over && taken === waiting) circuits.delete(id)
    else circuits.set(id, waiting - taken)
  }

  /** Sends what was gathered. */
  flush(): boolean {
    const batch = this.#batch
    this.#batch = undefined
    if (batch !== undefined)
      this.#port.postMessage({ type: this.#way, count: batch.count, buffer: batch.buffer }, [batch.buffer])
    return false
  }
}
