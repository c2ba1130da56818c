import { nativeBytes } from '../udp/linux-socket-calls.ts'
import { freeOwn } from './free-own.ts'
import { LinuxTun, type LinuxTunCalls } from './linux-tun.ts'

export interface TunPortOptions {
  readonly name: string
  /** A packet that the system sent into the interface: the first `length` bytes, valid during the call only. */
  readonly onPacket: (bytes: Uint8Array, length: number) => void
  /** The interface is gone: somebody deleted it. */
  readonly onGone: (error: unknown) => void
}

/** Packets after which the rest of a turn of the event loop is left to others: some 0.3 ms. */
const TURN_PACKETS = 128
/** The largest packet that an interface whose MTU somebody raised could give. */
const MOST_BYTES = 65_536
/** Seconds after which a wait is begun anew: a thread that is ended without close() hangs no longer. */
const WAIT_SECONDS = 1n
const POLLIN = 1

/**
 * The packets of a TUN interface: read into one buffer, as many a turn as there are up to a bound. Between them one wait takes one
 * thread of libuv's pool, since Node can wait for sockets and pipes only (docs/adr/0043-the-whole-machine.md).
 */
export class TunPort {
  readonly #calls: LinuxTunCalls
  readonly #options: TunPortOptions
  readonly #tun: LinuxTun
  /** Ends a wait when it is written to. */
  readonly #wake: number
  readonly #buffer = nativeBytes(MOST_BYTES)
  /** Two of struct pollfd: int fd, short events, short revents. */
  readonly #descriptors = nativeBytes(16)
  readonly #timeout = nativeBytes(16)
  #isWaiting = false
  #isClosed = false

  /** @throws Error as `LinuxTun` */
  constructor(calls: LinuxTunCalls, options: TunPortOptions) {
    this.#calls = calls
    this.#options = options
    this.#tun = openTun(calls, options.name)
    this.#wake = calls.eventfd()
    if (this.#wake < 0) {
      this.#tun[Symbol.dispose]()
      throw new Error(`eventfd: ${calls.errorName(calls.errno())}`)
    }
    const view = new DataView(this.#descriptors.buffer)
    for (const [index, fd] of [this.#tun.fd, this.#wake].entries()) {
      view.setInt32(8 * index, fd, true)
      view.setInt16(8 * index + 4, POLLIN, true)
    }
    new DataView(this.#timeout.buffer).setBigInt64(0, WAIT_SECONDS, true)
  }

  /** Packets come from now on. */
  start(): void {
    this.#wait()
  }

  /** Hands a packet to the system, as one that came in by the interface. False when it takes none: it is down, or the packet is none. */
  write(packet: Uint8Array, length = packet.length): boolean {
    return !this.#isClosed && this.#tun.write(packet, length)
  }

  /** The interface goes, and with it its addresses and routes. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // The descriptors stay open while a wait looks at them: their numbers could be somebody else's soon.
    if (this.#isWaiting) this.#calls.write(this.#wake, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8)
    else this.#free()
  }

  #free(): void {
    this.#tun[Symbol.dispose]()
    this.#calls.close(this.#wake)
  }

  #wait(): void {
    this.#isWaiting = true
    this.#calls.waitForReadable(this.#descriptors, 2, this.#timeout, this.#onReadable)
  }

  readonly #onReadable = (): void => {
    this.#isWaiting = false
    if (this.#isClosed) this.#free()
    else this.#drain()
  }

  readonly #drain = (): void => {
    if (this.#isClosed) return
    const buffer = this.#buffer
    let left = TURN_PACKETS
    try {
      for (; left > 0; left--) {
        const length = this.#tun.read(buffer)
        if (length === 0) break
        this.#options.onPacket(buffer, length)
      }
    } catch (error) {
      this.close()
      this.#options.onGone(error)
      return
    }
    if (left > 0) this.#wait()
    else this.#drainLater()
  }

  #drainLater(): void {
    // close() may come before: then #drain does nothing, and the descriptors are closed already.
    setImmediate(this.#drain)
  }
}

function openTun(calls: LinuxTunCalls, name: string): LinuxTun {
  try {
    return new LinuxTun(calls, name)
  } catch (error) {
    if (!freeOwn(calls, name)) throw error
    return new LinuxTun(calls, name)
  }
}
