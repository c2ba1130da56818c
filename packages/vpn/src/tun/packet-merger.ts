import { TransportHeader } from '../ip/transport-header.ts'
import { HeldPacket, canBegin } from './held-packet.ts'
import { clearVirtioHeader } from './virtio-header.ts'

/** Flows of which a packet is held at once. */
const MOST_HELD = 16

export interface PacketMergerInit {
  /** Super-packets of which protocols the system takes. */
  readonly tcp: boolean
  readonly udp: boolean
  /** Hands a packet to the system that stands for `count`: its room has the header for it. */
  readonly write: (held: HeldPacket) => void
}

/**
 * Makes super-packets of packets that follow each other in a flow, as the kernel would of what a network card brings (generic receive offload):
 * the system then goes its way once for all of them. Only what it can cut into the very same packets again becomes one, with all checksums
 * found true. Packets of a flow keep their order. What is held waits for `flush` at most; nothing is allocated for a packet.
 */
export class PacketMerger {
  readonly #init: PacketMergerInit
  readonly #header = new TransportHeader()
  readonly #free: HeldPacket[] = []
  /** The oldest first. */
  readonly #held: HeldPacket[] = []
  #next = new HeldPacket()
  /** Packets that were none: with lengths that contradict each other, or with a false checksum where that was looked at. */
  broken = 0

  constructor(init: PacketMergerInit) {
    this.#init = init
    for (let i = 0; i < MOST_HELD; i++) this.#free.push(new HeldPacket())
  }

  /** Where the next packet is to be laid. */
  get room(): Uint8Array {
    return this.#next.room.bytes
  }

  /** Whether something waits for `flush`. */
  get isHolding(): boolean {
    return this.#held.length > 0
  }

  /** Takes the packet of `length` bytes that lies in `room`, unless it is none. */
  add(length: number): void {
    const next = this.#next
    const { bytes, view } = next.room
    const header = this.#header
    if (!header.read(bytes, length)) {
      if (header.isBroken) return void this.broken++
      // Its ports are not read, so that it may belong to any flow between its addresses.
      for (let at = 0; at < this.#held.length;)
        if (this.#held[at]?.isBetween(header.ip.sourceAt, view) === true) this.#end(at)
        else at++
      return this.#write(next, length)
    }
    const at = this.#find(header, view)
    const held = this.#held[at]
    if (held !== undefined) {
      const added = held.add(header, next.room, length)
      if (added === 'added') return
      if (added === 'broken') return void this.broken++
      if (added === 'broken first') this.#drop(at)
      else this.#end(at)
      if (added === 'last') return
    }
    if ((header.isTcp ? this.#init.tcp : this.#init.udp) && canBegin(header, bytes, length)) this.#hold(length)
    else this.#write(next, length)
  }

  /** Writes what is held. */
  flush(): void {
    const held = this.#held
    for (let at = 0; at < held.length; at++) {
      const each = held[at] as HeldPacket
      this.#finish(each)
      this.#free.push(each)
    }
    held.length = 0
  }

  #find(header: TransportHeader, view: DataView): number {
    const held = this.#held
    for (let at = 0; at < held.length; at++) if ((held[at] as HeldPacket).isOfFlow(header, view)) return at
    return -1
  }

  #hold(length: number): void {
    if (this.#free.length === 0) this.#end(0)
    this.#next.begin(this.#header, length)
    this.#held.push(this.#next)
    this.#next = this.#free.pop() as HeldPacket
  }

  /** Writes one that is held. */
  #end(at: number): void {
    this.#finish(this.#held[at] as HeldPacket)
    this.#remove(at)
  }

  /** Does not write one that is held. */
  #drop(at: number): void {
    this.broken++
    this.#remove(at)
  }

  #remove(at: number): void {
    const held = this.#held
    this.#free.push(held[at] as HeldPacket)
    for (let i = at; i + 1 < held.length; i++) held[i] = held[i + 1] as HeldPacket
    held.pop()
  }

  #finish(held: HeldPacket): void {
    held.finish()
    this.#init.write(held)
    clearVirtioHeader(held.room.header)
  }

  #write(packet: HeldPacket, length: number): void {
    packet.length = length
    packet.count = 1
    this.#init.write(packet)
  }
}
