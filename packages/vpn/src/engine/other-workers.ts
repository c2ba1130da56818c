import { wipe } from '@weft/crypto'
import type { ExitCircuit, SharedSessionNames } from '@weft/onion'
import type { FlushQueue } from './flush-queue.ts'
import type { WorkerPort } from './worker-message.ts'
import { WorkerPeer, type WorkerPeerInit } from './worker-peer.ts'

/** The other packet workers of a node: finds the one that has the session which a circuit here is to join. */
export class OtherWorkers {
  readonly #names: SharedSessionNames
  readonly #self: number
  readonly #queue: FlushQueue
  readonly #peers = new Map<number, WorkerPeer>()
  /** Of sessions here, so that they are forgotten again. */
  readonly #named = new Map<object, Uint8Array>()

  /** @param self of these workers, which this is */
  constructor(names: SharedSessionNames, self: number, queue: FlushQueue) {
    this.#names = names
    this.#self = self
    this.#queue = queue
  }

  add(worker: number, port: WorkerPort, join: WorkerPeerInit['join']): void {
    this.#peers.get(worker)?.close()
    this.#peers.set(worker, new WorkerPeer({ port, queue: this.#queue, join }))
  }

  /** Circuits here that carry for sessions of others. */
  get lent(): number {
    let lent = 0
    for (const peer of this.#peers.values()) lent += peer.lent
    return lent
  }

  /** Packets that another worker was too busy to take. */
  get dropped(): number {
    let dropped = 0
    for (const peer of this.#peers.values()) dropped += peer.dropped
    return dropped
  }

  /** A session here has a name. */
  onNamed(session: object, name: Uint8Array): void {
    this.#named.set(session, new Uint8Array(name))
    this.#names.add(name, this.#self)
  }

  onOver(session: object): void {
    const name = this.#named.get(session)
    if (name === undefined) return
    this.#named.delete(session)
    this.#names.remove(name, this.#self)
    wipe(name)
  }

  /** Hands a circuit to the worker that has the session of this name; false where no other one has it. */
  lend(name: Uint8Array, circuit: ExitCircuit, packetNumber: number, payload: Uint8Array): boolean {
    const worker = this.#names.find(name)
    if (worker === undefined) return false
    return this.#peers.get(worker)?.lend(circuit, packetNumber, payload) ?? false
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close()
    this.#peers.clear()
  }
}
