import { type Random, Scope, VirtualClock, WeftError, silentLogger } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { METHODS, type MethodName, create, decodeMessage, encodeMessage } from '@weft/wire'
import { LoadService } from '../../src/load/load-service.ts'
import type { Member, Membership, Role } from '../../src/member.ts'
import type { Caller } from '../../src/rpc.ts'
import type { Transport } from '../../src/transport/transport.ts'

type Handler = (request: unknown, caller: Caller, signal: AbortSignal) => Promise<unknown>

/** ms that a message takes. */
const WAY_MS = 40
/** What a call has around its two messages: frames of the control stream, the muxer and TLS, each way. */
const AROUND = 2 * 60

export const NETWORK = 'wloadtest'
export const BEGIN = 1_800_000_000_000

/** A repeatable stream of bytes: a linear congruential generator (Knuth, MMIX). */
function randomFrom(seed: number): Random {
  let state = BigInt(seed)
  const byte = (): number => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn
    return Number(state >> 56n)
  }
  return { bytes: (length) => Uint8Array.from({ length }, byte) }
}

interface NodeMap {
  members: readonly Member[]
  byId: Map<DidKey, Member>
  readonly listeners: Set<() => void>
}

export interface LoadNode {
  readonly key: SigningKey
  readonly loads: LoadService
  /** Bytes of its calls and of those to it, sent and received, with what is around them. */
  bytes: number
  isOn: boolean
}

/** Load services of many nodes on a virtual clock: their calls go through the real messages, and take a while. */
export class LoadNetwork implements AsyncDisposable {
  readonly clock = new VirtualClock(BEGIN)
  readonly nodes: LoadNode[] = []
  readonly #byId = new Map<DidKey, { readonly node: LoadNode; readonly handlers: Map<string, Handler> }>()
  readonly #scope = new Scope({ name: 'loads', clock: this.clock, logger: silentLogger })
  readonly #maps: NodeMap[]
  readonly members: readonly Member[]

  /** @param neighboursOf indices of those that a node has connections to; of all others by default */
  constructor(roles: readonly (readonly Role[])[], neighboursOf?: (index: number) => readonly number[]) {
    const keys = roles.map((_, index) => {
      const seed = new Uint8Array(32)
      new DataView(seed.buffer).setUint32(0, index + 1)
      return new SigningKey(seed)
    })
    this.members = keys.flatMap((key, index) =>
      roles[index]?.includes('client') === true ? [] : [memberOf(key.id, roles[index] as readonly Role[])],
    )
    this.#maps = keys.map(() => ({ members: this.members, byId: byIdOf(this.members), listeners: new Set() }))
    for (const [index, key] of keys.entries()) {
      const handlers = new Map<string, Handler>()
      const map = this.#mapOf(index)
      const membership = {
        networkId: NETWORK,
        members: () => map.members,
        member: (id: DidKey) => map.byId.get(id),
        onChange: (listener: () => void) => {
          map.listeners.add(listener)
          return () => map.listeners.delete(listener)
        },
      } as unknown as Membership
      const near = (): readonly DidKey[] =>
        (
          neighboursOf?.(index) ??
          keys
            .keys()
            .filter((other) => other !== index)
            .toArray()
        ).flatMap((other) => (this.nodes[other]?.isOn === true ? [(keys[other] as SigningKey).id] : []))
      const transport = {
        connected: near,
        call: (to: DidKey, method: MethodName, request: unknown) => this.call(key.id, to, method, request),
        handle: (method: string, handler: Handler) => handlers.set(method, handler),
      } as unknown as Transport
      const { clock } = this
      const random = randomFrom(index + 1)
      const loads = new LoadService({ key, membership, transport, clock, random, logger: silentLogger })
      const node = { key, loads, bytes: 0, isOn: true }
      this.nodes.push(node)
      this.#byId.set(key.id, { node, handlers })
    }
    for (const { loads } of this.nodes) loads.start(this.#scope.child('node'))
  }

  node(index: number): LoadNode {
    return this.nodes[index] as LoadNode
  }

  /** The map is another from now on, for all nodes. */
  changeMap(members: Member[]): void {
    for (const index of this.nodes.keys()) this.changeMapOf(index, members)
  }

  /** The map of one node is another from now on. */
  changeMapOf(index: number, members: readonly Member[]): void {
    const map = this.#mapOf(index)
    map.members = members
    map.byId = byIdOf(members)
    for (const listener of map.listeners) listener()
  }

  #mapOf(index: number): NodeMap {
    return this.#maps[index] as NodeMap
  }

  async call(from: DidKey, to: DidKey, method: MethodName, request: unknown): Promise<unknown> {
    const spec = METHODS[method]
    const sent = encodeMessage(spec.request, create(spec.request, request as never))
    const there = this.#byId.get(to)
    await this.#wait(WAY_MS)
    if (there?.node.isOn !== true) throw gone()
    const caller = { id: from, address: '/ip4/127.0.0.1/tcp/1' }
    const answer = await there.handlers.get(method)?.(
      decodeMessage(spec.request, sent, spec.maxRequest),
      caller,
      new AbortController().signal,
    )
    const back = encodeMessage(spec.response, create(spec.response, answer as never))
    for (const each of [this.#byId.get(from)?.node, there.node])
      if (each !== undefined) each.bytes += sent.length + back.length + AROUND
    await this.#wait(WAY_MS)
    return decodeMessage(spec.response, back, spec.maxResponse)
  }

  /** Answers calls of a method as told, in place of the node itself. */
  replace(index: number, method: MethodName, handler: Handler): void {
    this.#byId.get(this.node(index).key.id)?.handlers.set(method, handler)
  }

  /** What becomes of a promise while time passes. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    const call = { isDone: false }
    const end = (): void => void (call.isDone = true)
    promise.then(end, end)
    while (!call.isDone) await this.clock.advance(10)
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close()
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve))
  }
}

function byIdOf(members: readonly Member[]): Map<DidKey, Member> {
  return new Map(members.map((member) => [member.id, member]))
}

export function memberOf(id: DidKey, roles: readonly Role[]): Member {
  return {
    id,
    roles,
    addresses: ['/ip4/127.0.0.1/tcp/1'],
    family: 'f',
    region: 'europe',
    country: 'DE',
    asn: 1,
    diversityAddress: '127.0.0.1',
    simulated: true,
    certificateEpoch: 0,
    expiresAt: BEGIN * 2,
    certificateHash: new Uint8Array(32),
  }
}

function gone(): WeftError {
  return new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'It is off.', fix: 'Start it.', retryable: true })
}
