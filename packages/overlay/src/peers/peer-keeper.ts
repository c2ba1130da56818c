import {
  type Clock,
  type Fault,
  type Logger,
  type Random,
  WeftError,
  randomInt,
  toWeftError,
  withTimeout,
} from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { StandingChange } from '../liveness/liveness-action.ts'
import type { PeerState, PeerStatus } from '../overlay.ts'
import type { Transport } from '../transport/transport.ts'

/** Who is told which of the kept peers have a connection, and watches whether they answer. */
interface PeerWatch {
  connected(id: DidKey): void
  lost(id: DidKey): void
}

export interface PeerKeeperInit {
  readonly self: DidKey
  readonly transport: Pick<Transport, 'connect' | 'connected' | 'onPeer' | 'ping'>
  readonly watch: PeerWatch
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called at every change of a peer's state. */
  readonly onState: (status: PeerStatus) => void
}

/** ms that a peer has to answer a ping that somebody asks for. */
const PING_DEADLINE_MS = 5_000
/** ms until a lost peer is dialled again; doubles up to the longest, each with up to half of it added at random. */
const FIRST_REDIAL_MS = 250
const LONGEST_REDIAL_MS = 15_000
/** ms that the peer with the greater id waits for the other to dial first, so that two nodes make one connection. */
const DIAL_GRACE_MS = 1_500
const DIAL_DEADLINE_MS = 10_000

interface Peer {
  readonly id: DidKey
  status: PeerStatus
  failures: number
  /** Cancels the timer of the next dial. */
  cancel: () => void
  busy: boolean
}

/**
 * Keeps a connection to every peer that it is told to keep, and knows how each of them is: a connection that closes is
 * seen at once, a process that no longer answers by the failure detection, which tells `answered` and `judged`. A peer
 * that is gone is dialled again with back-off.
 */
export class PeerKeeper {
  readonly #init: PeerKeeperInit
  readonly #peers = new Map<DidKey, Peer>()
  #signal: AbortSignal | undefined

  constructor(init: PeerKeeperInit) {
    this.#init = init
  }

  /** Keeps going until the signal fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    const unsubscribe = this.#init.transport.onPeer((id, connected) => this.#onPeer(id, connected))
    signal.addEventListener(
      'abort',
      () => {
        unsubscribe()
        for (const peer of this.#peers.values()) peer.cancel()
      },
      { once: true },
    )
  }

  /** Sets whom to keep; the others are forgotten; who dialled them closes what stays unused. */
  keep(ids: ReadonlySet<DidKey>): void {
    for (const [id, peer] of this.#peers) {
      if (ids.has(id)) continue
      peer.cancel()
      this.#peers.delete(id)
    }
    const connected = new Set(this.#init.transport.connected())
    for (const id of ids) if (id !== this.#init.self && !this.#peers.has(id)) this.#add(id, connected.has(id))
  }

  status(id: DidKey): PeerStatus | undefined {
    return this.#peers.get(id)?.status
  }

  /** Measures one round trip now, ms, and notes it. @throws WeftError E_NODE_UNREACHABLE, E_ABORTED */
  async ping(id: DidKey, signal?: AbortSignal): Promise<number> {
    const { clock, transport } = this.#init
    const rttMs = await withTimeout(
      clock,
      PING_DEADLINE_MS,
      signal,
      () => silent(id, PING_DEADLINE_MS),
      (inner) => transport.ping(id, inner),
    )
    this.answered(id, rttMs)
    this.#init.watch.connected(id)
    return rttMs
  }

  /** The peer answered a probe after so many ms. */
  answered(id: DidKey, rttMs: number): void {
    const peer = this.#peers.get(id)
    if (peer !== undefined) this.#set(peer, 'connected', rttMs)
  }

  /** The failure detection holds something else of a peer than before. */
  judged(change: StandingChange): void {
    const peer = this.#peers.get(change.id)
    if (peer === undefined) return
    if (change.standing !== 'answers') this.#set(peer, 'unreachable', undefined, silenceFault(change))
    else if (this.#isConnected(peer.id)) this.#set(peer, 'connected', peer.status.rttMs)
  }

  #add(id: DidKey, connected: boolean): void {
    const since = this.#init.clock.now()
    const status = {
      id,
      state: connected ? 'connected' : 'connecting',
      since,
      rttMs: undefined,
      fault: undefined,
    } as const
    const peer: Peer = { id, status, failures: 0, cancel: () => {}, busy: false }
    this.#peers.set(id, peer)
    this.#init.onState(status)
    if (connected) this.#init.watch.connected(id)
    else this.#after(peer, this.#init.self < id ? 0 : this.#jitter(DIAL_GRACE_MS), () => this.#dial(peer))
  }

  #onPeer(id: DidKey, connected: boolean): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    if (connected) return this.#isUp(peer)
    this.#set(peer, 'unreachable', undefined, {
      code: 'E_NODE_UNREACHABLE',
      cause: `The connection to ${shortId(id)} was closed by the other side.`,
      fix: 'Start the node again if it is yours; this node dials it again by itself.',
    })
    this.#init.watch.lost(id)
    this.#scheduleDial(peer)
  }

  #isUp(peer: Peer): void {
    peer.cancel()
    peer.failures = 0
    this.#set(peer, 'connected', peer.status.rttMs)
    this.#init.watch.connected(peer.id)
  }

  async #dial(peer: Peer): Promise<void> {
    const { clock, transport } = this.#init
    try {
      const connect = (signal: AbortSignal): Promise<void> => transport.connect(peer.id, undefined, signal)
      await withTimeout(clock, DIAL_DEADLINE_MS, this.#signal, () => silent(peer.id, DIAL_DEADLINE_MS), connect)
      this.#isUp(peer)
    } catch (error) {
      if (this.#signal?.aborted === true || this.#peers.get(peer.id) !== peer) return
      peer.failures++
      this.#set(peer, 'unreachable', undefined, faultOf(error, peer.id))
      this.#init.watch.lost(peer.id)
      this.#scheduleDial(peer)
    }
  }

  #scheduleDial(peer: Peer): void {
    const delay = Math.min(LONGEST_REDIAL_MS, FIRST_REDIAL_MS * 2 ** Math.min(peer.failures, 10))
    this.#after(peer, delay + this.#jitter(delay / 2), () => this.#dial(peer))
  }

  /** One timer a peer: a new plan replaces the one before. A task that is under way is let finish first. */
  #after(peer: Peer, ms: number, task: () => Promise<void>): void {
    peer.cancel()
    peer.cancel = this.#init.clock.after(ms, () => {
      if (peer.busy || this.#signal?.aborted === true || this.#peers.get(peer.id) !== peer) return
      peer.busy = true
      void task().finally(() => {
        peer.busy = false
      })
    })
  }

  #set(peer: Peer, state: PeerState, rttMs: number | undefined, fault?: Fault): void {
    if (this.#signal?.aborted === true || this.#peers.get(peer.id) !== peer) return
    const changed = peer.status.state !== state
    peer.status = { id: peer.id, state, since: changed ? this.#init.clock.now() : peer.status.since, rttMs, fault }
    if (changed) this.#init.onState(peer.status)
  }

  #isConnected(id: DidKey): boolean {
    return this.#init.transport.connected().includes(id)
  }

  #jitter(ms: number): number {
    return randomInt(this.#init.random, Math.max(1, Math.ceil(ms)))
  }
}

function silent(id: DidKey, ms: number): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `${shortId(id)} did not answer within ${ms} ms.`,
    fix: 'Check that the node runs and is not stopped or overloaded; this node goes on asking it.',
    retryable: true,
  })
}

function silenceFault({ id, standing, observers, silentMs }: StandingChange): Fault {
  const seconds = Math.round(silentMs / 1_000)
  const who =
    standing === 'silent'
      ? 'this node alone; others were not heard to confirm it'
      : `${observers} ${observers === 1 ? 'observer: there is no other' : 'observers of different operators'}`
  return {
    code: 'E_NODE_UNREACHABLE',
    cause: `${shortId(id)} has not answered for ${seconds} s, as seen by ${who}.`,
    fix: 'Check that the node runs and is not stopped or overloaded; this node goes on asking it.',
  }
}

function faultOf(error: unknown, id: DidKey): Fault {
  const { code, cause, fix } = toWeftError(error, {
    code: 'E_NODE_UNREACHABLE',
    cause: `${shortId(id)} cannot be reached.`,
    fix: 'Check that the node runs; this node dials it again by itself.',
  })
  return { code, cause, fix }
}
