import { type Socket, connect } from 'node:net'
import type { Clock, Logger, Random } from '@weft/core'
import {
  CircuitReason,
  type ExitCircuit,
  type MemoryBudget,
  PacketPool,
  SessionCode,
  Session,
  type SessionStream,
} from '@weft/onion'
import type { DnsAsker } from '../exit/dns-asker.ts'
import type { ExitPolicy } from '../exit/exit-policy.ts'
import type { NameResolver } from '../exit/name-resolver.ts'
import { codeOfResolve, codeOfSystem } from '../exit/target-codes.ts'
import { CHUNK } from './chunk-pool.ts'
import { ExitChannels } from './exit-channels.ts'
import { ExitDns } from './exit-dns.ts'
import type { ExitPackets } from './exit-packets.ts'
import type { FlushQueue } from './flush-queue.ts'
import { SessionDriver } from './session-driver.ts'
import { SocketPipe } from './socket-pipe.ts'

export interface ExitServiceInit {
  readonly policy: ExitPolicy
  readonly resolver: NameResolver
  readonly asker: DnsAsker
  readonly memory: MemoryBudget
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Where it carries IP packets. */
  readonly packets?: () => ExitPackets | undefined
}

/** ms to connect to a target; the client waits for 4.4 s (OPEN_MS of stream-opener.ts), the way there and back included. */
const DIAL_MS = 3_800
/** Sessions at once: some 30 KB each before a byte is carried. */
const MAX_SESSIONS = 2_048
/**
 * Connections to targets at once: as many as the memory of all sessions has streams (12 MiB at 6 KiB each). A connection may outlast
 * its stream, while its target reads slowly, so the streams alone are no bound.
 */
const MAX_CONNECTIONS = 2_048
/** IP packets towards clients that wait at once, 1,280 bytes each. */
const MAX_WAITING_PACKETS = 8_192
/** Into which all connections of this thread are read: what came is copied before the next read. */
const reading = Buffer.allocUnsafeSlow(CHUNK)
/** ms after which a connection that carried nothing is ended; they are looked at so often, all together. */
const IDLE_MS = 15 * 60_000
const SWEEP_MS = 60_000

/** What a connection had carried when it was last seen to carry anything, and when that was, monotonic ms. */
interface Seen {
  carried: number
  at: number
}

/** The exit: one session a circuit, one TCP connection a stream, or a channel of datagrams or IP packets. Neither targets nor clients are ever logged. */
export class ExitService {
  readonly #init: ExitServiceInit
  readonly #drivers = new Set<SessionDriver>()
  readonly #sockets = new Set<Socket>()
  /** Those that are connected. */
  readonly #pipes = new Map<SocketPipe, Seen>()
  readonly #channels: ExitChannels
  readonly #dns: ExitDns
  readonly #waitingPackets = new PacketPool(MAX_WAITING_PACKETS)
  #cancelSweep: (() => void) | undefined

  constructor(init: ExitServiceInit) {
    this.#init = init
    this.#channels = new ExitChannels(init)
    this.#dns = new ExitDns(init.asker)
  }

  get streams(): number {
    return this.#sockets.size
  }

  /** Channels of datagrams that clients have here. */
  get channels(): number {
    return this.#channels.size
  }

  /** Takes a circuit that a client ends here; false when there is no room. */
  accept(circuit: ExitCircuit): boolean {
    if (this.#drivers.size >= MAX_SESSIONS) return false
    const { clock, random, queue, memory } = this.#init
    const session = new Session({
      role: 'exit',
      clock,
      random,
      payloadLength: circuit.payloadLength,
      memory,
      packets: this.#waitingPackets,
      onStream: (stream) => this.#take(stream, driver),
      onWritable: () => driver.wake(),
      onClose: () => {
        // What says that it is over goes out before the circuit does.
        driver.flush()
        this.#forget(driver)
        circuit.destroy(CircuitReason.none)
      },
    })
    const driver = new SessionDriver(session, circuit, queue, clock)
    this.#drivers.add(driver)
    circuit.onPacket = (packetNumber, payload) => {
      session.receive(packetNumber, payload)
      driver.wake()
    }
    circuit.onRoom = () => driver.wake()
    circuit.onEnd = () => {
      this.#forget(driver)
      session.close(SessionCode.none, '')
    }
    return true
  }

  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    for (const driver of this.#drivers) driver.session.close(SessionCode.stopping, 'the exit stops')
    for (const socket of this.#sockets) socket.destroy()
    this.#channels.close()
  }

  #forget(driver: SessionDriver): void {
    this.#drivers.delete(driver)
    driver.close()
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#init.clock.after(SWEEP_MS, () => {
      this.#cancelSweep = undefined
      this.#sweep()
      if (this.#pipes.size > 0) this.#sweepLater()
    })
  }

  /** Ends connections that carry nothing: what a client forgot, or holds to keep others out. */
  #sweep(): void {
    const now = this.#init.clock.monotonic()
    for (const [pipe, seen] of this.#pipes) {
      if (pipe.carried !== seen.carried) {
        seen.carried = pipe.carried
        seen.at = now
      } else if (now - seen.at >= IDLE_MS) pipe.abort(SessionCode.timedOut)
    }
  }

  #take(stream: SessionStream, driver: SessionDriver): void {
    const { protocol } = stream.target ?? {}
    const wake = (): void => driver.wake()
    if (protocol === 'udp') return this.#channels.take(stream, driver, wake)
    if (protocol === 'dns') return this.#dns.take(stream, driver, wake)
    if (protocol === 'ip') return this.#takePackets(stream, driver, wake)
    this.#open(stream, driver).catch((error: unknown) => {
      this.#init.logger.error('a connection could not be begun', { code: systemCode(error) ?? 'E_INTERNAL' })
      stream.refuse(SessionCode.internal)
      driver.wake()
    })
  }

  #takePackets(stream: SessionStream, driver: SessionDriver, wake: () => void): void {
    const packets = this.#init.packets?.()
    if (packets !== undefined) return packets.take(stream, driver, wake)
    stream.refuse(SessionCode.notOffered)
    wake()
  }

  async #open(stream: SessionStream, driver: SessionDriver): Promise<void> {
    const { policy, resolver } = this.#init
    const refuse = (code: number): void => {
      stream.refuse(code)
      driver.wake()
    }
    const { target } = stream
    if (target === undefined) return refuse(SessionCode.violation)
    const { host, port } = target
    let gone = false
    stream.handler = { onReset: () => (gone = true) }
    let address: string
    try {
      address = await resolver.resolve(host)
    } catch (error) {
      return refuse(codeOfResolve(error))
    }
    if (gone) return
    // Only now: many may have waited for one slow name.
    if (this.#sockets.size >= MAX_CONNECTIONS) return refuse(SessionCode.limit)
    if (policy.refusal(address, port) !== undefined) return refuse(SessionCode.policy)
    this.#dial(stream, driver, address, port)
  }

  #dial(stream: SessionStream, driver: SessionDriver, address: string, port: number): void {
    const { clock, queue } = this.#init
    let pipe: SocketPipe | undefined
    const socket = connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: {
        buffer: reading,
        callback: (length) => {
          pipe?.send(reading.subarray(0, length))
          return true
        },
      },
    })
    this.#sockets.add(socket)
    const forget = (): void => {
      this.#sockets.delete(socket)
    }
    const fail = (code: number): void => {
      cancel()
      socket.destroy()
      forget()
      stream.refuse(code)
      driver.wake()
    }
    const cancel = clock.after(DIAL_MS, () => fail(SessionCode.timedOut))
    const onError = (error: NodeJS.ErrnoException): void => fail(codeOfSystem(error.code))
    socket.once('error', onError)
    stream.handler = {
      onReset: () => {
        cancel()
        socket.off('error', onError)
        socket.on('error', () => {})
        socket.destroy()
        forget()
      },
    }
    socket.once('connect', () => {
      cancel()
      socket.off('error', onError)
      // Node ignores what a rebinding name server says later: this is the address that policy judged.
      const joined = new SocketPipe(
        socket,
        stream,
        queue,
        () => driver.wake(),
        () => {
          forget()
          this.#pipes.delete(joined)
        },
      )
      pipe = joined
      this.#pipes.set(joined, { carried: joined.carried, at: clock.monotonic() })
      this.#sweepLater()
      stream.accept(address)
      queue.mark(joined)
      driver.wake()
    })
  }
}

/** Of a system call that failed; the message may hold an address, which is never logged. */
function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
