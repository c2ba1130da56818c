import { isIPv4 } from 'node:net'
import {
  type Clock,
  type Fault,
  type Logger,
  type Random,
  messageOf,
  orAborted,
  randomInt,
  shuffled,
  throwIfAborted,
  wait,
} from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { type Member, type Role, publicRolesOf } from '../member.ts'
import { addressGroup } from '../network/address-group.ts'
import { formatRelayedAddress, parseRelayedAddress } from '../network/relayed-address.ts'
import type { Rpc } from '../rpc.ts'
import type { Seat } from '../terms/term.ts'
import type { ListenAddress } from '../transport/listen-address.ts'
import type { Transport } from '../transport/transport.ts'
import { chooseRelays } from './choose-relays.ts'
import { isRelay } from './is-relay.ts'
import type { Reach } from './reach.ts'
import { noRelay, notPublic, relayedOnly } from './reach-faults.ts'

export interface ReachKeeperInit {
  readonly self: DidKey
  /** Without `client`. */
  readonly roles: readonly Role[]
  readonly listen: readonly ListenAddress[]
  /** UDP port of a node that carries packets. */
  readonly packetsPort: number | undefined
  readonly transport: Pick<Transport, 'seenAt' | 'onSeen' | 'reserve' | 'onRelayLost'> & Pick<Rpc, 'call'>
  /** Members of the newest map. */
  readonly members: () => readonly Member[]
  /** Calls back after each newer map; returns the unsubscribe function. */
  readonly onMembers: (listener: () => void) => () => void
  /** Of the newest term that is known: asked while there is no map. */
  readonly validators: () => readonly Pick<Seat, 'id' | 'addresses'>[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called at every change of `reach`. */
  readonly onReach: (reach: Reach) => void
}

/** Nodes that are asked to dial back, each of another address. */
const ASKED = 3
/** Relays at which a node has a place: one may go without a new certificate being needed. */
export const RELAYS_KEPT = 2
/** Times that a relay is asked before another takes its place. */
const TRIES = 3
/** ms until a node that is reached asks again, and until one that is not does; up to a quarter is added at random. */
const RECHECK_MS = 600_000
const RETRY_MS = 15_000
/** Rounds in a row in which nobody found an open port before it is taken for closed: others may have been busy. */
const MISSES = 3
const ASK_TIMEOUT_MS = 10_000

/**
 * Finds out how others reach this node, where its operator did not say it, and keeps it so: asks a few nodes to dial it
 * back (the idea of AutoNAT, libp2p specs, autonat), and where they do not find it takes places at relays.
 */
export class ReachKeeper {
  readonly #init: ReachKeeperInit
  readonly #held = new Set<DidKey>()
  /** Tries that failed since a relay last gave a place. */
  readonly #failures = new Map<DidKey, number>()
  #reach: Reach = { state: 'asking' }
  #misses = 0
  /** Where others saw the node when it last looked, and when that was, ms of the monotonic clock. */
  #lookedAt: { readonly host: string | undefined; readonly ms: number } = { host: undefined, ms: 0 }
  #cancelMove: (() => void) | undefined
  #woken = Promise.withResolvers<void>()

  constructor(init: ReachKeeperInit) {
    this.#init = init
  }

  get reach(): Reach {
    return this.#reach
  }

  /** Goes on until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    const { transport, onMembers } = this.#init
    transport.onRelayLost((relay) => {
      if (this.#held.delete(relay)) this.#wake()
    })
    transport.onSeen(() => {
      if (this.#reach.state === 'asking') this.#wake()
      else this.#onMove()
    })
    // Nobody finds the way to a relay that was ejected: where it is stands in the map only.
    const unsubscribe = onMembers(() => {
      if (this.#gone().length > 0) this.#wake()
    })
    try {
      for (;;) {
        const settled = await this.#look(signal)
        throwIfAborted(signal)
        await this.#pause(settled ? RECHECK_MS : RETRY_MS, signal)
      }
    } finally {
      unsubscribe()
      this.#cancelMove?.()
    }
  }

  /** Others see it elsewhere: it looks again, but no sooner than it would have without success, as what they say may alternate. */
  #onMove(): void {
    const { transport, clock } = this.#init
    const hasMoved = (): boolean => {
      const host = transport.seenAt()
      return host !== undefined && host !== this.#lookedAt.host
    }
    if (!hasMoved() || this.#cancelMove !== undefined) return
    const ms = Math.max(0, this.#lookedAt.ms + RETRY_MS - clock.monotonic())
    this.#cancelMove = clock.after(ms, () => {
      this.#cancelMove = undefined
      if (hasMoved()) this.#wake()
    })
  }

  /** Relays that it has and that are none any more. */
  #gone(): readonly DidKey[] {
    const relays = new Set(
      this.#init
        .members()
        .filter(isRelay)
        .map(({ id }) => id),
    )
    return [...this.#held].filter((id) => !relays.has(id))
  }

  /** One round: asks, and where nobody finds it makes sure of the relays. Whether all is as good as it can be. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { roles, transport, packetsPort, clock } = this.#init
    const host = transport.seenAt()
    this.#lookedAt = { host, ms: clock.monotonic() }
    if (host === undefined) return false
    const asked = await this.#askAll(host, signal)
    if (asked === undefined) return false
    if (asked.open.length > 0) {
      this.#misses = 0
      this.#set({ state: 'direct', addresses: asked.open })
      return true
    }
    this.#misses++
    if (this.#reach.state === 'direct' && this.#misses < MISSES) return false
    const listed = publicRolesOf(roles)
    if (listed.length > 0) {
      this.#set({ state: 'unreachable', fault: notPublic(host, this.#ports(), asked.by, listed, packetsPort) })
      return false
    }
    await this.#takePlaces(signal)
    this.#tellRelays(host, asked.by)
    return this.#held.size >= RELAYS_KEPT
  }

  /** The addresses that most of those who were asked found open, and who they were; undefined when nobody answered. */
  async #askAll(
    host: string,
    signal: AbortSignal,
  ): Promise<{ readonly open: readonly string[]; readonly by: readonly DidKey[] } | undefined> {
    const nodes = this.#nodesToAsk()
    const answered = new Set<DidKey>()
    const open: string[] = []
    for (const { port, websocket = false } of this.#init.listen) {
      const found = await Promise.all(nodes.map((id) => this.#ask(id, port, websocket, host, signal)))
      const votes = found.filter((each) => each !== undefined)
      nodes.forEach((id, index) => found[index] !== undefined && answered.add(id))
      if (votes.filter((each) => each).length * 2 > votes.length) open.push(addressOf(host, port, websocket))
    }
    return answered.size === 0 ? undefined : { open, by: [...answered] }
  }

  /** Whether this node was found; undefined when that node did not answer, or saw it at another address. */
  async #ask(
    id: DidKey,
    port: number,
    websocket: boolean,
    host: string,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const { transport, logger } = this.#init
    try {
      const limits = { signal, timeoutMs: ASK_TIMEOUT_MS }
      const answer = await transport.call(id, 'peer.reach', { port, websocket }, limits)
      return answer.host === host ? answer.reached : undefined
    } catch (error) {
      if (!signal.aborted) logger.debug('a node did not dial back', { peer: shortId(id), error: messageOf(error) })
      return undefined
    }
  }

  #nodesToAsk(): readonly DidKey[] {
    const { self, members, validators } = this.#init
    const known = new Map(members().map(({ id, addresses }) => [id, addresses] as const))
    for (const { id, addresses } of validators()) if (!known.has(id)) known.set(id, addresses)
    known.delete(self)
    const groups = new Map<string, DidKey>()
    for (const [id, addresses] of shuffled(this.#init.random, [...known])) {
      const direct = addresses.find((address) => parseRelayedAddress(address) === undefined)
      if (direct !== undefined) groups.set(addressGroup(direct), id)
    }
    return [...groups.values()].slice(0, ASKED)
  }

  /** The relays that it has first; what failed too often comes after all others. */
  async #takePlaces(signal: AbortSignal): Promise<void> {
    const { self, members, transport, logger } = this.#init
    const tired = (id: DidKey): number => ((this.#failures.get(id) ?? 0) >= TRIES ? 1 : 0)
    const candidates = chooseRelays(self, members()).toSorted((a, b) => tired(a.id) - tired(b.id))
    for (const id of this.#gone()) this.#held.delete(id)
    for (const { id } of candidates) {
      if (this.#held.size >= RELAYS_KEPT) return
      if (this.#held.has(id)) continue
      try {
        await transport.reserve(id, signal)
        this.#held.add(id)
        this.#failures.delete(id)
      } catch (error) {
        throwIfAborted(signal)
        this.#failures.set(id, (this.#failures.get(id) ?? 0) + 1)
        logger.debug('no place at a relay', { relay: shortId(id), error: messageOf(error) })
      }
    }
  }

  #tellRelays(host: string, by: readonly DidKey[]): void {
    const through = [...this.#held].sort()
    if (through.length === 0) {
      this.#set({ state: 'unreachable', fault: noRelay(host, this.#ports(), by) })
      return
    }
    const addresses = through.map(formatRelayedAddress)
    this.#set({ state: 'relayed', addresses, through, fault: relayedOnly(host, this.#ports(), by, through) })
  }

  #ports(): readonly number[] {
    return this.#init.listen.map(({ port }) => port)
  }

  #set(reach: Reach): void {
    const changed = wordOf(reach) !== wordOf(this.#reach)
    this.#reach = reach
    if (changed) this.#init.onReach(reach)
  }

  #wake(): void {
    this.#woken.resolve()
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#init
    const over = new AbortController()
    const longest = ms + randomInt(random, Math.ceil(ms / 4))
    try {
      await Promise.race([
        wait(clock, longest, AbortSignal.any([signal, over.signal])),
        orAborted(this.#woken.promise, signal),
      ])
    } finally {
      over.abort()
      this.#woken = Promise.withResolvers<void>()
    }
  }
}

function addressOf(host: string, port: number, websocket: boolean): string {
  return `/${isIPv4(host) ? 'ip4' : 'ip6'}/${host}/tcp/${port}${websocket ? '/ws' : ''}`
}

/** What of a reach others need to be told: who was asked is no change. */
function wordOf(reach: Reach): string {
  const fault: Fault | undefined = 'fault' in reach ? reach.fault : undefined
  return JSON.stringify([reach.state, 'addresses' in reach ? reach.addresses : [], fault?.code])
}
