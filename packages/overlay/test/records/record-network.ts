import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Scope, WeftError, abortError, seededRandom, silentLogger, systemClock, type Clock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { METHODS, create, decodeMessage, encodeMessage, type MethodName } from '@weft/wire'
import type { Member, Membership } from '../../src/member.ts'
import { createRecordStore } from '../../src/records/create-record-store.ts'
import type { HolderFinder } from '../../src/records/holder-finder.ts'
import type { RecordStore } from '../../src/records/record-store.ts'
import { type Caller, type CallOptions, EncodedAnswer, type Rpc } from '../../src/rpc.ts'

type AnyHandler = (request: never, caller: Caller, signal: AbortSignal) => Promise<unknown>

/** What happens to a message: it arrives, is lost (the call times out), or the connection is gone. */
export type Fate = 'arrives' | 'lost' | 'unreachable'

export interface NetworkNode {
  readonly key: SigningKey
  readonly directory: string
  store: RecordStore
  scope: Scope
  up: boolean
  /** In place of the node's own handlers, for hostile ones. */
  readonly override: Map<MethodName, AnyHandler>
}

/** Record stores joined by an in-memory Rpc that encodes and decodes as the wire does, with faults where a test asks. */
export class RecordNetwork implements AsyncDisposable {
  readonly nodes: NetworkNode[] = []
  readonly root = mkdtempSync(join(tmpdir(), 'weft-records-'))
  readonly clock: Clock
  fate: (from: DidKey, to: DidKey, method: MethodName) => Fate = () => 'arrives'
  calls = 0
  /** Whom every node holds to be down. */
  readonly suspects = new Set<DidKey>()
  /** Nodes that hold no map. */
  readonly mapless = new Set<NetworkNode>()
  /** Who finds holders for all nodes; nobody by default. */
  finder: HolderFinder = { isNeeded: () => false, find: async () => undefined }
  #members: readonly Member[] = []
  readonly #listeners = new Set<() => void>()
  readonly #handlers = new Map<DidKey, Map<MethodName, AnyHandler>>()
  #next = 0

  constructor(clock: Clock = systemClock) {
    this.clock = clock
  }

  static async of(members: number, clients = 1, clock: Clock = systemClock): Promise<RecordNetwork> {
    const network = new RecordNetwork(clock)
    for (let i = 0; i < members + clients; i++) await network.add(i < members)
    network.setMembers(network.nodes.slice(0, members))
    return network
  }

  async add(holder: boolean): Promise<NetworkNode> {
    const key = new SigningKey(seededRandom(1000 + this.#next).bytes(32))
    const directory = join(this.root, String(this.#next++))
    const node = { key, directory, up: true, override: new Map() } as unknown as NetworkNode
    this.nodes.push(node)
    await this.#open(node, holder)
    return node
  }

  setMembers(nodes: readonly NetworkNode[]): void {
    this.#members = nodes.map((node, at) => memberOf(node.key.id, at))
    for (const listener of this.#listeners) listener()
  }

  /** As a kill: what was not acknowledged may or may not be there. */
  async stop(node: NetworkNode): Promise<void> {
    node.up = false
    await node.scope.close()
  }

  async restart(node: NetworkNode, holder = true): Promise<void> {
    await this.#open(node, holder)
    node.up = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) if (node.up) await node.scope.close()
    rmSync(this.root, { recursive: true, force: true })
  }

  async #open(node: NetworkNode, holder: boolean): Promise<void> {
    node.scope = new Scope({ name: node.key.id })
    this.#handlers.set(node.key.id, new Map())
    ;({ store: node.store } = await createRecordStore({
      rpc: this.#rpc(node),
      membership: this.#membership(node),
      self: node.key.id,
      directory: node.directory,
      clock: this.clock,
      logger: silentLogger,
      scope: node.scope,
      holder,
      isSuspect: (id) => this.suspects.has(id),
      finder: {
        isNeeded: () => this.finder.isNeeded(),
        find: (key, timeoutMs, signal) => this.finder.find(key, timeoutMs, signal),
      },
    }))
  }

  #membership(node: NetworkNode): Membership {
    return {
      networkId: 'test',
      members: () => (this.mapless.has(node) ? NOBODY : this.#members),
      member: (id) => this.#members.find((member) => member.id === id),
      isMember: (id) => this.#members.some((member) => member.id === id),
      isValidator: () => false,
      status: () => {
        throw new Error('not used by records')
      },
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
  }

  #rpc(node: NetworkNode): Rpc {
    const call = async (
      to: DidKey,
      method: MethodName,
      request: never,
      options: CallOptions = {},
    ): Promise<unknown> => {
      this.calls++
      const target = this.nodes.find((other) => other.key.id === to)
      const spec = METHODS[method]
      const sent = encodeMessage(spec.request, create(spec.request, request))
      const fate = target?.up === true ? this.fate(node.key.id, to, method) : 'unreachable'
      await new Promise((resolve) => setImmediate(resolve))
      if (options.signal?.aborted === true) throw abortError(options.signal)
      if (fate === 'unreachable') throw fault('E_NODE_UNREACHABLE')
      const handler = target?.override.get(method) ?? this.#handlers.get(to)?.get(method)
      // A lost message may be the request or the answer.
      const answerLost = fate === 'lost' && this.calls % 2 === 0
      if (fate === 'lost' && !answerLost) throw fault('E_CALL_TIMEOUT')
      if (handler === undefined) throw fault('E_METHOD_UNKNOWN')
      const caller = { id: node.key.id, address: '127.0.0.1' }
      const result = await handler(
        decodeMessage(spec.request, sent, spec.maxRequest) as never,
        caller,
        new AbortController().signal,
      )
      if (answerLost) throw fault('E_CALL_TIMEOUT')
      const answer =
        result instanceof EncodedAnswer
          ? result.bytes
          : encodeMessage(spec.response, create(spec.response, result as never))
      return decodeMessage(spec.response, answer, spec.maxResponse)
    }
    return {
      call: call as Rpc['call'],
      handle: (method, handler) => {
        this.#handlers.get(node.key.id)?.set(method, handler)
        return () => void this.#handlers.get(node.key.id)?.delete(method)
      },
    }
  }
}

const NOBODY: readonly Member[] = []

export function memberOf(id: DidKey, at: number, extra: Partial<Member> = {}): Member {
  return {
    id,
    roles: ['storage'],
    addresses: [],
    family: `family-${at}`,
    region: 'test',
    country: 'CH',
    asn: at,
    diversityAddress: `10.${at >> 8}.${at & 255}.1`,
    simulated: true,
    certificateEpoch: 1,
    expiresAt: Number.MAX_SAFE_INTEGER,
    certificateHash: new Uint8Array(32),
    ...extra,
  }
}

function fault(code: string): WeftError {
  return new WeftError({ code, cause: 'A fault of the test network.', fix: 'None.', retryable: true })
}
