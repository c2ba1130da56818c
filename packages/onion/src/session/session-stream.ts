import { type DatagramChannel } from './datagram-channel.ts'
import { ipToBytes } from './ip-bytes.ts'
import { type IpChannel } from './ip-channel.ts'
import { type SessionMemory } from './memory-budget.ts'
import { SessionCode } from './protocol.ts'
import { ReceiveSide } from './receive-side.ts'
import { SendSide } from './send-side.ts'
import { type StreamTarget } from './stream-target.ts'
import { WeftError } from '@weft/core'

/** What a stream's owner is told; set on `SessionStream.handler` before anything can come (at once after openStream, within onStream). */
export interface StreamHandler {
  /** Client: the exit has connected to `address`. */
  onOpened?(address: string): void
  /** Client: the exit does not connect; the stream is over. `code` is one of SessionCode. */
  onRefused?(code: number): void
  /** The next bytes in order. Valid during the call only; `consume` says when they were passed on. */
  onData?(chunk: Uint8Array): void
  /**
   * For an owner that passes bytes on at another's pace: `peek` has some. They stay in the session's memory until `consume` says that they were
   * passed on. Where there is none they come by onData, in pieces of a packet at most, and only when all before them was passed on.
   */
  onReadable?(): void
  /** The other side sends no more; what it sent has been handed over. */
  onEnd?(): void
  /** Both directions are over before their end, by the other side or with the session. */
  onReset?(code: number): void
  /** There is no room any more, though write() said true last: other streams of the session have used it up. */
  onFull?(): void
  /** After write() or askRoom() said false, or onFull: there is room again. */
  onDrain?(): void
}

/** Frames about a stream that wait to be sent, as bits. */
export const StreamControl = { open: 1, opened: 2, refused: 4, reset: 8, stop: 16, limit: 32 } as const

/** What a stream needs of its session. */
export interface StreamHost {
  schedule(stream: SessionStream): void
  control(stream: SessionStream, bit: number): void
  /** `bytes` of a stream no longer take room in the session's window. */
  credit(bytes: number): void
  /** The stream's owner has passed on `bytes`; true when the other side must be told a new limit of the stream. */
  raise(stream: SessionStream, bytes: number): boolean
  mark(stream: SessionStream): number
  /** A stream is full: it is told once it may write. */
  awaitRoom(stream: SessionStream): void
  /** A stream was asked for room and has some: it may write at any time. */
  mayWrite(stream: SessionStream): void
  /** A stream took memory, or there was none for it. */
  wrote(stream: SessionStream): void
  ready(stream: SessionStream): void
  settle(stream: SessionStream): void
  makeChannel(): DatagramChannel
  makeIpChannel(): IpChannel
  endChannel(channel: DatagramChannel | IpChannel): void
}

/** One TCP connection through the exit, or what else a client has it do. Made by Session; every method may be called in every state. */
export class SessionStream {
  handler: StreamHandler = {}
  readonly send: SendSide
  readonly receive: ReceiveSide
  readonly #host: StreamHost
  #id: number
  #target: StreamTarget | undefined
  #channel: DatagramChannel | undefined
  #ip: IpChannel | undefined
  #state: 'opening' | 'open' | 'closed' = 'opening'
  /** Bits of StreamControl: to be sent; must be acknowledged before the stream may be forgotten; were acknowledged. */
  pending = 0
  owed = 0
  acked = 0
  /** Code of RESET_STREAM, STOP_SENDING or REFUSED. */
  code = 0
  /** What OPENED says, 4 or 16 bytes. */
  address: Uint8Array = new Uint8Array(4)
  isFull = false
  endSaid = false
  #credited = 0

  constructor(host: StreamHost, memory: SessionMemory, id: number, target: StreamTarget | undefined) {
    this.#host = host
    this.#id = id
    this.#target = target
    if (target !== undefined) this.#makeChannel(target)
    this.send = new SendSide(memory)
    this.receive = new ReceiveSide(memory)
  }

  /** Of a client's stream: the exit took what asks for it. One without room for a further stream does not, and says nothing. */
  get isHeard(): boolean {
    return (this.acked & StreamControl.open) !== 0
  }

  /** -1 while the exit allows no further stream. */
  get id(): number {
    return this.#id
  }

  /** Undefined at an exit until OPEN came; onStream is called with it. */
  get target(): StreamTarget | undefined {
    return this.#target
  }

  /** Of a stream whose target is UDP_CHANNEL, where it is known: that carries no bytes itself, it opens and ends the channel. */
  get channel(): DatagramChannel | undefined {
    return this.#channel
  }

  /** Of a stream whose target is IP_CHANNEL, likewise. */
  get ip(): IpChannel | undefined {
    return this.#ip
  }

  /** It carries no bytes of its own. */
  get isChannel(): boolean {
    return this.#channel !== undefined || this.#ip !== undefined
  }

  /** `opening` until the exit has connected; `closed` after a reset, a refusal or both ends. */
  get state(): 'opening' | 'open' | 'closed' {
    return this.#state
  }

  /** Bytes that write() takes before it says false. */
  get room(): number {
    if (this.#state === 'closed' || this.send.isEnded) return 0
    return Math.max(0, this.#host.mark(this) - this.send.buffered)
  }

  /**
   * Takes a copy of `bytes`, of which there should be no more than 64 KiB. False: the buffer is full, stop until onDrain; these
   * bytes were still taken. A stream that is closed or ended takes nothing and says false. Where the memory budget ends, the
   * stream is reset with code 10. An exit writes after accept().
   */
  write(bytes: Uint8Array): boolean {
    if (this.#state === 'closed' || this.send.isEnded) return false
    if (bytes.length === 0) return !this.isFull
    if (!this.send.append(bytes)) {
      this.isFull = true
      this.#host.wrote(this)
      this.reset(SessionCode.limit)
      this.handler.onReset?.(SessionCode.limit)
      return false
    }
    this.isFull = this.send.buffered >= this.#host.mark(this)
    this.#host.schedule(this)
    this.#host.wrote(this)
    return !this.isFull
  }

  /**
   * Whether there is room before the first write; after false, onDrain tells when. What is written all the same is taken, as by write(),
   * from what the streams of all sessions have: whoever does not know how much will come asks first, and heeds onFull.
   */
  askRoom(): boolean {
    if (this.#state === 'closed' || this.send.isEnded || this.isFull) return false
    if (this.#host.mark(this) > 0) {
      this.#host.mayWrite(this)
      return true
    }
    this.isFull = true
    this.#host.awaitRoom(this)
    return false
  }

  /** Nothing more will be written; the other direction goes on. */
  end(): void {
    if (this.#state === 'closed' || this.send.isEnded) return
    this.send.end()
    this.isFull = false
    this.#host.schedule(this)
  }

  /** Ends both directions at once; what was not acknowledged is given up, and bytes that were handed over count as consumed. */
  reset(code: number): void {
    if (this.#state !== 'closed') this.#stop(code, StreamControl.reset)
    this.#discard()
    this.#host.settle(this)
  }

  /** The next bytes that came, for an owner with onReadable: good until consume(). */
  peek(): Uint8Array | undefined {
    return this.#state === 'open' ? this.receive.peek() : undefined
  }

  /** Bytes can be handed on straight from a packet: there are none before them. */
  get takesAtOnce(): boolean {
    return this.#state === 'open' && (this.handler.onReadable === undefined || !this.#hasUnpassed)
  }

  /** Bytes were handed on that the owner has not passed on. */
  get #hasUnpassed(): boolean {
    return this.receive.delivered > this.#credited
  }

  /** The owner has passed on `bytes` of what onData or peek() gave, at most all: the other side may send as many more. */
  consume(bytes: number): void {
    if (this.receive.isDiscarding) return
    if (this.handler.onReadable !== undefined) {
      const more = bytes - (this.receive.delivered - this.#credited)
      if (more > 0) this.receive.advance(more)
      if (this.receive.isDone) this.#host.ready(this)
    }
    const count = Math.min(bytes, this.receive.delivered - this.#credited)
    if (count <= 0) return
    this.#credited += count
    if (this.#host.raise(this, count) && !this.receive.hasFinalSize) this.#host.control(this, StreamControl.limit)
    this.#host.credit(count)
  }

  /**
   * The owner passes on nothing any more. Where it has ended its own direction, and the other side has said its end, what it wrote still goes
   * there; else the stream is reset.
   */
  abandon(code: number): void {
    if (this.#state !== 'open' || !this.send.isEnded || !this.receive.hasFinalSize) return this.reset(code)
    this.#discard()
    this.#host.settle(this)
  }

  /**
   * Exit: the target is connected, at `address` (IPv4 or IPv6 literal); what the client sent so far is handed over now. A channel
   * has no such address: 0.0.0.0; one of IP packets tells the client's own.
   * @throws WeftError E_TARGET_INVALID when `address` is not a literal
   */
  accept(address: string): void {
    const bytes = ipToBytes(address)
    if (bytes === undefined)
      throw new WeftError({
        code: 'E_TARGET_INVALID',
        cause: `A stream was accepted with the address "${address}", which is no IPv4 or IPv6 literal.`,
        fix: 'Pass the address that the socket is connected to.',
      })
    if (this.#state !== 'opening') return
    this.address = bytes
    this.#state = 'open'
    this.#beginChannel()
    this.#owe(StreamControl.opened)
    this.#host.ready(this)
  }

  /** Exit: the target is not connected, for `code` of SessionCode. */
  refuse(code: number): void {
    if (this.#state !== 'opening') return
    this.#stop(code, StreamControl.refused)
    this.#discard()
    this.#host.settle(this)
  }

  /** Client: the exit allows the stream; it goes by `id` from now on. */
  activate(id: number): void {
    this.#id = id
    this.#owe(StreamControl.open)
    // What was done while it waited.
    if ((this.owed & StreamControl.reset) !== 0) this.#host.control(this, StreamControl.reset)
    this.#host.schedule(this)
  }

  /** Exit: OPEN came. False when it is a repetition or the stream is over already. */
  onOpen(target: StreamTarget): boolean {
    if (this.#target !== undefined) return false
    this.#target = target
    this.#makeChannel(target)
    return this.#state === 'opening'
  }

  onOpened(address: string): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.address = ipToBytes(address) ?? this.address
    this.#beginChannel()
    this.handler.onOpened?.(address)
    this.#host.ready(this)
  }

  onRefused(code: number): void {
    // Nothing comes from an exit that refused, so the end is where it is.
    this.receive.note(this.receive.highest, true)
    if (this.#state === 'closed') return this.#host.settle(this)
    this.#stop(code, StreamControl.reset)
    this.#discard()
    this.handler.onRefused?.(code)
    this.#host.settle(this)
  }

  /** The other side reset the stream or wants no more of it: both directions end. */
  onReset(code: number): void {
    const open = this.#state !== 'closed'
    if (open) this.#stop(code, StreamControl.reset)
    this.#discard()
    if (open) this.handler.onReset?.(code)
    this.#host.settle(this)
  }

  /** Bytes were counted in the session's window that nobody will read. */
  onDiscarded(): void {
    const bytes = this.receive.highest - this.#credited
    this.#credited += bytes
    if (bytes > 0) this.#host.credit(bytes)
  }

  /** True when both directions are over and the other side knows all it must. */
  get isSettled(): boolean {
    if ((this.owed & ~this.acked) !== 0 || !this.receive.isDone) return false
    // Who has bytes that are to be passed on is told when the session ends.
    if (
      this.handler.onReadable !== undefined &&
      this.#state === 'open' &&
      !this.receive.isDiscarding &&
      this.#hasUnpassed
    )
      return false
    return this.send.isDone || (this.acked & (StreamControl.reset | StreamControl.refused)) !== 0
  }

  /** Both ends came; nothing of the stream is kept. */
  onSettled(): void {
    this.#state = 'closed'
    this.#endChannel()
    this.send.free()
    this.receive.free()
  }

  /** The session is over. */
  onSessionEnd(code: number): void {
    const open = this.#state !== 'closed'
    this.onSettled()
    if (open) this.handler.onReset?.(code)
  }

  #owe(bit: number): void {
    this.owed |= bit
    if (this.#id >= 0) this.#host.control(this, bit)
  }

  #stop(code: number, bit: number): void {
    this.#state = 'closed'
    this.#endChannel()
    this.code = code
    this.isFull = false
    if (this.send.isDone) return
    this.send.stop()
    this.#owe(bit)
  }

  #makeChannel({ protocol }: StreamTarget): void {
    if (protocol === 'udp') this.#channel = this.#host.makeChannel()
    else if (protocol === 'ip') this.#ip = this.#host.makeIpChannel()
  }

  #beginChannel(): void {
    this.#channel?.begin(this.#id)
    this.#ip?.begin(this.#id)
  }

  #endChannel(): void {
    if (this.#channel !== undefined) this.#host.endChannel(this.#channel)
    if (this.#ip !== undefined) this.#host.endChannel(this.#ip)
  }

  #discard(): void {
    if (this.receive.isDiscarding) return
    const unread = !this.receive.isDone
    this.receive.discard()
    this.onDiscarded()
    if (unread && !this.receive.hasFinalSize && this.#id >= 0 && (this.owed & StreamControl.refused) === 0)
      this.#host.control(this, StreamControl.stop)
  }
}
