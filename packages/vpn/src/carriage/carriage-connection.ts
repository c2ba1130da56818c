import type { TLSSocket } from 'node:tls'
import { freeNow } from '@weft/core'
import { FrameReader } from './frame-reader.ts'

/** Bytes that wait at all connections of a port. */
export interface QueuedBytes {
  bytes: number
}

export interface CarriageConnectionEvents {
  /** 1440 bytes, valid during the call only. */
  readonly onPacket: (packet: Uint8Array) => void
  /** All packets of a read were handed over. */
  readonly onRead: () => void
  readonly onMalformed: () => void
  readonly onClose: () => void
}

/** One TLS connection that carries packets, from its preface on. */
export class CarriageConnection {
  readonly #socket: TLSSocket
  readonly #queued: QueuedBytes
  readonly #events: CarriageConnectionEvents
  readonly #reader = new FrameReader()
  #waiting = 0

  constructor(socket: TLSSocket, queued: QueuedBytes, events: CarriageConnectionEvents) {
    this.#socket = socket
    this.#queued = queued
    this.#events = events
    socket.on('data', (chunk: Uint8Array) => this.read(chunk))
    socket.once('close', () => events.onClose())
    // Who ends his side has nothing more to say, and is told nothing more.
    socket.once('end', () => socket.destroy())
  }

  /** Bytes that the kernel has not taken yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Bytes that came. */
  read(chunk: Uint8Array): void {
    const whole = this.#reader.read(chunk, this.#events.onPacket)
    this.#events.onRead()
    freeNow(chunk)
    if (whole) return
    this.#events.onMalformed()
    this.#socket.destroy()
  }

  /** @param bytes that are nobody else's from now on */
  write(bytes: Uint8Array): void {
    const { length } = bytes
    this.#waiting += length
    this.#queued.bytes += length
    this.#socket.write(bytes, () => {
      this.#waiting -= length
      this.#queued.bytes -= length
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}
