import { systemRandom } from '@weft/core'
import { HalfWriter } from '@weft/onion'
import type { Destination } from './destination-table.ts'
import type { LinuxSocketCalls } from './linux-socket-calls.ts'
import { SegmentBatch } from './segment-batch.ts'
import type { UdpCounters } from './udp-counters.ts'

/** Destinations that packets wait for at a time: 1.8 MB in batches, made when first needed. */
const BATCHES = 32

/**
 * What the kernel says to a super-packet that it would take packet by packet: larger than the path takes in one piece, a
 * device or tunnel without checksums in hardware, or none of this at all.
 */
const NOT_AS_ONE: ReadonlySet<string> = new Set(['EINVAL', 'EMSGSIZE', 'EIO', 'EOPNOTSUPP', 'ENOPROTOOPT'])

/** Sends one packet when the kernel takes it and says so, with the name of the error if it failed. */
export type SendAlone = (packet: Uint8Array, destination: Destination, done: (error?: string) => void) => void

/** Batches by destination, and the wait for a kernel that takes no more; bounded by the number of batches. */
export class SendQueue {
  readonly #calls: LinuxSocketCalls
  readonly #fd: number
  readonly #counters: UdpCounters
  readonly #sendAlone: SendAlone
  readonly #onHold: (isHeld: boolean) => void
  readonly #halves = new HalfWriter(systemRandom)
  readonly #free: SegmentBatch<Destination>[] = []
  #made = 0
  /** Batches of a destination, oldest first. */
  readonly #active: SegmentBatch<Destination>[] = []
  #blocked = false

  /** @param onHold told when the kernel takes no more, and when it does again */
  constructor(
    calls: LinuxSocketCalls,
    fd: number,
    counters: UdpCounters,
    sendAlone: SendAlone,
    onHold: (isHeld: boolean) => void,
  ) {
    this.#calls = calls
    this.#fd = fd
    this.#counters = counters
    this.#sendAlone = sendAlone
    this.#onHold = onHold
  }

  /** Copies the packet; drops and counts it when there is no room. */
  add(packet: Uint8Array, destination: Destination): void {
    const batch = destination.batch ?? this.#assign(destination)
    if (batch === undefined || batch.isFull) {
      this.#counters.overflowed++
      return
    }
    batch.append(packet)
    if (batch.isFull && !this.#blocked) this.#transmit(batch, destination)
  }

  flush(): void {
    let done = 0
    for (const batch of this.#active) {
      const { destination } = batch
      if (this.#blocked || destination === undefined) break
      this.#transmit(batch, destination)
      if (batch.pending > 0) break
      destination.batch = undefined
      batch.destination = undefined
      this.#free.push(batch)
      done++
    }
    if (done > 0) this.#active.splice(0, done)
  }

  /** Drops what waits. */
  close(): void {
    this.#active.length = 0
  }

  /** Undefined when all batches hold packets that the kernel does not take. */
  #assign(destination: Destination): SegmentBatch<Destination> | undefined {
    if (this.#free.length === 0 && this.#made === BATCHES) this.flush()
    const batch = this.#free.pop() ?? (this.#made < BATCHES ? this.#make() : undefined)
    if (batch === undefined) return undefined
    batch.assign(destination)
    destination.batch = batch
    this.#active.push(batch)
    return batch
  }

  #make(): SegmentBatch<Destination> {
    this.#made++
    return new SegmentBatch(this.#calls, this.#fd, this.#halves)
  }

  /** Until all was sent or the kernel takes no more. */
  #transmit(batch: SegmentBatch<Destination>, destination: Destination): void {
    while (batch.pending > 0) {
      const count = destination.segmented ? batch.pending : 1
      const errno = batch.send(count)
      if (errno === 0) {
        this.#counters.sent += count
        continue
      }
      const error = this.#calls.errorName(errno)
      if (error === 'EAGAIN') {
        this.#wait(batch, destination)
        return
      }
      if (error === 'EINTR') continue
      if (count > 1 && NOT_AS_ONE.has(error)) {
        destination.segmented = false
        this.#counters.unsegmented++
        continue
      }
      this.#counters.sendFailed(error, count)
      batch.skip(count)
    }
  }

  /** The first packet goes by another way that waits; the others follow once it is gone. */
  #wait(batch: SegmentBatch<Destination>, destination: Destination): void {
    this.#blocked = true
    this.#onHold(true)
    const first = batch.first()
    batch.skip(1)
    this.#sendAlone(first, destination, (error) => {
      if (error === undefined) this.#counters.sent++
      else this.#counters.sendFailed(error, 1)
      this.#blocked = false
      this.flush()
      if (!this.#blocked) this.#onHold(false)
    })
  }
}
