/** Packets of one batch at most: more make none cheaper by much (docs/adr/0062-legs-across-workers.md). */
export const BATCH_PACKETS = 32
/** Bytes before a payload: whose it is, its length, its packet number. */
const HEAD = 16
/** Of the longest payload of a session, rounded up to whole numbers of 8 bytes. */
const MAX_PAYLOAD = 1_379
const SLOT = HEAD + 1_384

/** Packets on their way to another worker, in one buffer that is moved there. */
export class PacketBatch {
  count = 0
  readonly buffer: ArrayBuffer
  readonly #view: DataView

  constructor(buffer = new ArrayBuffer(BATCH_PACKETS * SLOT)) {
    this.buffer = buffer
    this.#view = new DataView(buffer)
  }

  get isFull(): boolean {
    return this.count === BATCH_PACKETS
  }

  /** Adds a packet: `fill` writes its payload and returns its number. To be called while it is not full. */
  add(id: number, length: number, fill: (payload: Uint8Array) => number): void {
    const at = this.count * SLOT
    const number = fill(new Uint8Array(this.buffer, at + HEAD, length))
    this.#view.setUint32(at, id)
    this.#view.setUint32(at + 4, length)
    this.#view.setFloat64(at + 8, number)
    this.count++
  }

  /** Hands over each of the first `count` packets; what cannot be one is left out. `payload` is a view of the buffer. */
  read(count: number, take: (id: number, packetNumber: number, payload: Uint8Array) => void): void {
    const most = Math.min(count, BATCH_PACKETS, Math.floor(this.buffer.byteLength / SLOT))
    for (let at = 0; at < most * SLOT; at += SLOT) {
      const length = this.#view.getUint32(at + 4)
      const number = this.#view.getFloat64(at + 8)
      if (length > MAX_PAYLOAD || !Number.isSafeInteger(number) || number < 0) continue
      take(this.#view.getUint32(at), number, new Uint8Array(this.buffer, at + HEAD, length))
    }
  }
}
