import { isIP } from 'node:net'
import { type ChannelTarget, KnownTarget } from './channel-target.ts'
import { type DatagramFrame } from './datagram-frame.ts'
import { DatagramQueue, type QueuedDatagram } from './datagram-queue.ts'
import { type SessionMemory } from './memory-budget.ts'
import { MAX_DATAGRAM_BYTES } from './protocol.ts'
import { SessionViolation } from './session-violation.ts'
import { checkTarget } from './target-host.ts'
import { TargetWindow } from './target-window.ts'
import { TARGET_OVERHEAD } from './tuning.ts'

/** What a channel's owner is told; set on `DatagramChannel.handler` before anything can come. */
export interface ChannelHandler {
  /** Exit: a datagram for `target`; client: one that came from it, at `address`. `bytes` are valid during the call only. */
  onDatagram?(target: ChannelTarget, address: string, bytes: Uint8Array): void
  /** Client: the exit sends nothing to `target`, for `code` of SessionCode. */
  onUnreached?(target: ChannelTarget, code: number): void
  /** Exit: the target's number stands for another one now; no reply of it can be carried. */
  onForgotten?(target: ChannelTarget): void
}

/** What a channel needs of its session. */
export interface ChannelHost {
  readonly isExit: boolean
  readonly clock: { monotonic(): number }
  readonly memory: SessionMemory
  schedule(channel: DatagramChannel): void
}

const NOTHING = new Uint8Array(0)

/**
 * Carries datagrams beside the streams of a session (docs/specs/session.md, Datagrams): none is sent again, none waits for another.
 * Made by its stream, which opens and ends it.
 */
export class DatagramChannel {
  handler: ChannelHandler = {}
  readonly queue: DatagramQueue
  /** Of the stream; -1 until it is open. */
  id = -1
  readonly #host: ChannelHost
  readonly #window = new TargetWindow()
  /** Client: targets by port and host. */
  readonly #byName = new Map<string, KnownTarget>()
  #nextPart = 0
  #isOver = false

  constructor(host: ChannelHost) {
    this.#host = host
    this.queue = new DatagramQueue(host.memory)
  }

  /**
   * Client: sends `bytes`, which nobody changes any more, to a host (a name or an address) and port. False: the channel is over, or
   * there is no memory for them.
   * @throws WeftError E_TARGET_INVALID
   */
  send(host: string, port: number, bytes: Uint8Array): boolean {
    if (this.#isOver || bytes.length > MAX_DATAGRAM_BYTES) return false
    const key = `${port} ${host}`
    let target = this.#byName.get(key)
    if (target === undefined) {
      checkTarget(host, port)
      target = new KnownTarget(this.#window.highest + 1, host, port)
      const before = this.#window.add(target)
      if (before !== undefined) this.#byName.delete(`${before.port} ${before.host}`)
      this.#byName.set(key, target)
    }
    return this.#push(target, bytes, 0)
  }

  /** Exit: sends what came from `target`, at `address`. False when its number is forgotten, or there is no memory. */
  reply({ number }: ChannelTarget, address: string, bytes: Uint8Array): boolean {
    const target = this.#isOver ? undefined : this.#window.find(number)
    if (target === undefined || bytes.length > MAX_DATAGRAM_BYTES) return false
    target.address = address
    return this.#push(target, bytes, 0)
  }

  /** Exit: tells that nothing is sent to `target`, for `code` of SessionCode. Like a datagram this may be lost. */
  unreached({ number }: ChannelTarget, code: number): void {
    const target = this.#isOver ? undefined : this.#window.find(number)
    if (target !== undefined) this.#push(target, NOTHING, code)
  }

  #push(target: KnownTarget, bytes: Uint8Array, code: number): boolean {
    const taken = this.queue.push(target, bytes, code, this.#host.clock.monotonic())
    if (taken && this.id >= 0) this.#host.schedule(this)
    return taken
  }

  /** The other side takes datagrams by `id` from now on. */
  begin(id: number): void {
    if (this.#isOver) return
    this.id = id
    if (this.queue.size > 0) this.#host.schedule(this)
  }

  /** What a frame must say of the datagram's target; empty when the other side knows it. */
  nameOf({ target }: QueuedDatagram): string {
    if (target.isKnown) return ''
    if (!this.#host.isExit) return target.host
    return target.address === undefined || target.address === target.host ? '' : target.address
  }

  /** True while the number of a datagram's target stands for it. */
  isLive({ target }: QueuedDatagram): boolean {
    return this.#window.isLive(target.number)
  }

  nextPart(): number {
    return this.#nextPart++
  }

  /** A frame that said what `number` stands for has arrived. */
  onNamed(number: number): void {
    const target = this.#window.find(number)
    if (target !== undefined) target.isKnown = true
  }

  /**
   * A DATAGRAM frame came: the target that it is about. Undefined when that is forgotten; `noMemory` when it is new and there is no room
   * to note it.
   * @throws SessionViolation
   */
  targetOf(frame: DatagramFrame): KnownTarget | 'noMemory' | undefined {
    return this.#host.isExit ? this.#targetAtExit(frame) : this.#targetAtClient(frame)
  }

  #targetAtExit({ target: number, isNamed, host, port }: DatagramFrame): KnownTarget | 'noMemory' | undefined {
    const known = this.#window.find(number)
    if (!isNamed || !this.#window.isLive(number)) return known
    if (known !== undefined) {
      if (known.host !== host || known.port !== port) throw new SessionViolation(`target ${number} changed`)
      return known
    }
    if (!this.#host.memory.takeToReceive(TARGET_OVERHEAD)) return 'noMemory'
    const target = new KnownTarget(number, host, port)
    const before = this.#window.add(target)
    if (before !== undefined) {
      this.#host.memory.give(TARGET_OVERHEAD)
      this.handler.onForgotten?.(before)
    }
    return target
  }

  #targetAtClient({ target: number, isNamed, host, port }: DatagramFrame): KnownTarget | undefined {
    this.#check(number)
    const known = this.#window.find(number)
    if (known === undefined) return undefined
    if (isNamed) {
      if (isIP(host) === 0 || port !== known.port) throw new SessionViolation(`target ${number} has no such address`)
      known.address = host
    }
    return known
  }

  #check(number: number): void {
    if (number > this.#window.highest) throw new SessionViolation(`target ${number} was never named`)
  }

  /** Hands on a datagram that is whole. */
  deliver(target: KnownTarget, bytes: Uint8Array): void {
    const address = this.#host.isExit ? target.host : (target.address ?? (isIP(target.host) === 0 ? '' : target.host))
    if (address !== '') this.handler.onDatagram?.(target, address, bytes)
  }

  /** UNREACHED came. @throws SessionViolation */
  onUnreached(number: number, code: number): void {
    this.#check(number)
    const target = this.#window.find(number)
    if (target !== undefined) this.handler.onUnreached?.(target, code)
  }

  /** The stream is over. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.queue.clear()
    const count = this.#window.clear()
    this.#byName.clear()
    if (this.#host.isExit) this.#host.memory.give(count * TARGET_OVERHEAD)
  }
}
