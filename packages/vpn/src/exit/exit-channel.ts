import { type RemoteInfo, type Socket, createSocket } from 'node:dgram'
import { isIP, isIPv6 } from 'node:net'
import { type Clock, canonicalHost } from '@weft/core'
import { type ChannelTarget, type DatagramChannel, SessionCode } from '@weft/onion'
import type { ExitPolicy } from './exit-policy.ts'
import { isGroup } from './is-group.ts'
import { literalLookup } from './literal-lookup.ts'
import type { NameResolver } from './name-resolver.ts'
import { codeOfResolve, codeOfSystem } from './target-codes.ts'

export interface ExitChannelInit {
  readonly channel: DatagramChannel
  /** Whose it is: its lookups are counted together. */
  readonly session: object
  readonly policy: ExitPolicy
  readonly resolver: NameResolver
  readonly clock: Clock
  /** Calls `go` when a name may be looked up, or `refuse` when the session asks for too many, within the call or later. */
  readonly ask: (go: () => void, refuse: () => void) => void
  /** A socket is to be opened; false when the session has its share of those that this exit takes. */
  readonly takeSocket: () => boolean
  readonly giveSocket: () => void
  /** Bytes are to wait for a name; false when as many do at this exit as may. */
  readonly takeWaiting: (bytes: number) => boolean
  readonly giveWaiting: (bytes: number) => void
  /** The session has something to send. */
  readonly wake: () => void
  /** The channel cannot go on, for `code` of SessionCode. */
  readonly onBroken: (code: number) => void
}

/** ms for which a mapping stands after the last datagram from inside: what RFC 4787, section 4.3, recommends (REQ-5: at least two minutes). */
export const MAPPING_MS = 5 * 60_000
/** Datagrams of one target that wait for its name, and names of one channel that are looked up at once. */
const MAX_WAITING = 8
const MAX_LOOKUPS = 16
/** Bytes that a socket has taken and the system has not, above which more are dropped. */
const MAX_UNSENT_BYTES = 256 * 1024
/** ms for which a verdict of the policy holds: as long as it keeps the addresses of this machine. */
const VERDICT_MS = 10_000
/** ms after which a name that could not be resolved is tried again; and between two words about one target to the client. */
const RETRY_MS = 5_000
const TELL_MS = 1_000

/** What the exit keeps of a target. */
interface Target {
  readonly named: ChannelTarget
  /** Literal; undefined until the name is resolved. It never changes: a name server that answers otherwise later moves nobody. */
  address: string | undefined
  isResolving: boolean
  waiting: Uint8Array[]
  /** Why nothing is sent there, one of SessionCode; 0 when something is. */
  refusal: number
  /** Monotonic ms: until when `refusal` holds; when the client was told last; when something was sent last. */
  judgedUntil: number
  toldAt: number
  sentAt: number
  readonly onSent: (error: Error | null) => void
}

/**
 * One channel at the exit: a socket for each family of addresses, so that all targets see one port (endpoint-independent mapping, RFC
 * 4787, section 4.1), and only whoever was sent something may answer (address and port-dependent filtering, section 5, the strictest).
 */
export class ExitChannel {
  readonly #init: ExitChannelInit
  readonly #targets = new Map<number, Target>()
  /** Those that something was sent to, by port and address. */
  readonly #byAddress = new Map<string, Target>()
  readonly #sockets = new Map<4 | 6, Socket>()
  #lookups = 0
  #isClosed = false
  #hasSent = false
  /** Monotonic ms. */
  #sentAt: number

  constructor(init: ExitChannelInit) {
    this.#init = init
    this.#sentAt = init.clock.monotonic()
    init.channel.handler = {
      onDatagram: (target, _, bytes) => this.#onDatagram(target, bytes),
      onForgotten: ({ number }) => this.#forget(number),
    }
  }

  /** Monotonic ms: when a datagram came from inside last. What comes from outside keeps no mapping (RFC 4787, section 4.3). */
  get sentAt(): number {
    return this.#sentAt
  }

  /** Whether a datagram came from inside, ever. */
  get hasSent(): boolean {
    return this.#hasSent
  }

  close(): void {
    this.#isClosed = true
    this.#targets.clear()
    this.#byAddress.clear()
    for (const socket of this.#sockets.values()) this.#closeSocket(socket)
    this.#sockets.clear()
  }

  #closeSocket(socket: Socket): void {
    socket.removeAllListeners('message')
    socket.close()
    this.#init.giveSocket()
  }

  #forget(number: number): void {
    const target = this.#targets.get(number)
    this.#targets.delete(number)
    if (target?.address === undefined) return
    const key = keyOf(target.named.port, target.address)
    if (this.#byAddress.get(key) === target) this.#byAddress.delete(key)
  }

  #onDatagram(named: ChannelTarget, bytes: Uint8Array): void {
    const now = this.#init.clock.monotonic()
    this.#sentAt = now
    this.#hasSent = true
    const target = this.#targets.get(named.number) ?? this.#add(named)
    if (!target.isResolving && now >= target.judgedUntil) this.#judge(target, now)
    if (target.isResolving) this.#wait(target, bytes)
    else this.#send(target, bytes.slice(), now)
  }

  #wait({ waiting }: Target, bytes: Uint8Array): void {
    if (waiting.length >= MAX_WAITING) this.#init.giveWaiting(waiting.shift()?.length ?? 0)
    if (this.#init.takeWaiting(bytes.length)) waiting.push(bytes.slice())
  }

  #add(named: ChannelTarget): Target {
    const target: Target = {
      named,
      address: isIP(named.host) === 0 ? undefined : canonicalHost(named.host),
      isResolving: false,
      waiting: [],
      refusal: 0,
      judgedUntil: Number.NEGATIVE_INFINITY,
      toldAt: Number.NEGATIVE_INFINITY,
      sentAt: Number.NEGATIVE_INFINITY,
      onSent: (error) => {
        if (error !== null && 'code' in error) this.#tell(target, codeOfSystem(String(error.code)))
      },
    }
    this.#targets.set(named.number, target)
    return target
  }

  /** Asks the policy anew, of the address that was resolved once; a name is resolved first. */
  #judge(target: Target, now: number): void {
    const { policy } = this.#init
    const { address, named } = target
    if (address === undefined) return this.#resolve(target, now)
    target.judgedUntil = now + VERDICT_MS
    const isRefused = isGroup(address) || policy.refusal(address, named.port) !== undefined
    target.refusal = isRefused ? SessionCode.policy : 0
  }

  #resolve(target: Target, now: number): void {
    const refuse = (at: number): void => {
      target.refusal = SessionCode.limit
      target.judgedUntil = at + TELL_MS
    }
    if (this.#lookups >= MAX_LOOKUPS) return refuse(now)
    this.#lookups++
    target.isResolving = true
    this.#init.ask(
      () => this.#lookUp(target),
      () => {
        refuse(this.#init.clock.monotonic())
        this.#onResolved(target)
      },
    )
  }

  #lookUp(target: Target): void {
    if (!this.#has(target)) return this.#onResolved(target)
    void this.#init.resolver
      .resolve(target.named.host, this.#init.session)
      .then(
        (address) => {
          target.address = address
        },
        (error: unknown) => {
          target.refusal = codeOfResolve(error)
          target.judgedUntil = this.#init.clock.monotonic() + RETRY_MS
        },
      )
      .finally(() => this.#onResolved(target))
  }

  /** Not any more once the channel is over, or the client has forgotten it. */
  #has(target: Target): boolean {
    return !this.#isClosed && this.#targets.get(target.named.number) === target
  }

  #onResolved(target: Target): void {
    this.#lookups--
    target.isResolving = false
    const { waiting } = target
    target.waiting = []
    for (const { length } of waiting) this.#init.giveWaiting(length)
    if (!this.#has(target)) return
    const now = this.#init.clock.monotonic()
    if (target.address !== undefined) this.#judge(target, now)
    for (const bytes of waiting) this.#send(target, bytes, now)
  }

  /** @param bytes its own: a socket may send them later */
  #send(target: Target, bytes: Uint8Array, now: number): void {
    const { address, named } = target
    if (target.refusal !== 0 || address === undefined) return this.#tell(target, target.refusal)
    const socket = this.#socketFor(isIPv6(address) ? 6 : 4)
    if (socket === undefined) return this.#tell(target, SessionCode.limit)
    if (socket.getSendQueueSize() > MAX_UNSENT_BYTES) return
    target.sentAt = now
    this.#byAddress.set(keyOf(named.port, address), target)
    socket.send(bytes, named.port, address, target.onSent)
  }

  #tell(target: Target, code: number): void {
    const now = this.#init.clock.monotonic()
    if (this.#isClosed || now - target.toldAt < TELL_MS) return
    target.toldAt = now
    this.#init.channel.unreached(target.named, code)
    this.#init.wake()
  }

  #socketFor(family: 4 | 6): Socket | undefined {
    const existing = this.#sockets.get(family)
    if (existing !== undefined) return existing
    if (!this.#init.takeSocket()) return undefined
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only: family === 6, lookup: literalLookup })
    this.#sockets.set(family, socket)
    socket.on('message', (bytes, from) => this.#onMessage(bytes, from))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#isClosed) this.#init.onBroken(codeOfSystem(error.code))
    })
    socket.bind({ port: 0, address: family === 4 ? '0.0.0.0' : '::', exclusive: true })
    // What goes wrong is told at once.
    return this.#isClosed ? undefined : socket
  }

  #onMessage(bytes: Buffer, { address, port }: RemoteInfo): void {
    const target = this.#byAddress.get(keyOf(port, address))
    if (target === undefined || this.#init.clock.monotonic() - target.sentAt > MAPPING_MS) return
    this.#init.channel.reply(target.named, address, bytes)
    this.#init.wake()
  }
}

function keyOf(port: number, address: string): string {
  return `${port} ${address}`
}
