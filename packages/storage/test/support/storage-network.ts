import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Scope, VirtualClock, WeftError, silentLogger, systemRandom } from '@weft/core'
import { type DidKey, SigningKey, sha256 } from '@weft/crypto'
import type { Member, Overlay, Streams } from '@weft/overlay'
import { createStorage } from '../../src/create-storage.ts'
import { streamPair } from '../../src/object/stream-pair.ts'
import type { Storage } from '../../src/storage.ts'
import { FakeRecords, memberAt } from './memory-network.ts'

interface Node {
  readonly storage: Storage
  readonly scope: Scope
  readonly overlay: Overlay
}

/** Nodes with real holders on disk, joined by streams in memory, and a map that members leave; the last is a client. */
export class StorageNetwork implements AsyncDisposable {
  readonly clock = new VirtualClock(Date.now())
  readonly records = new FakeRecords()
  readonly keys: SigningKey[]
  readonly nodes = new Map<number, Node>()
  readonly revoked = new Set<DidKey>()
  #members: Member[]
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-holders-'))
  readonly #handlers = new Map<DidKey, { handle: Parameters<Streams['handleStream']>[1]; scope: Scope }>()
  /** Bytes that were written towards holders. */
  sent = 0

  constructor(count: number) {
    this.keys = Array.from({ length: count + 1 }, (_, at) => new SigningKey(sha256(Uint8Array.of(at, 7))))
    this.#members = this.keys.slice(0, count).map((key, at) => memberAt(key.id, at))
    this.records.quorum = true
  }

  static async start(count: number): Promise<StorageNetwork> {
    const network = new StorageNetwork(count)
    for (let at = 0; at <= count; at++) await network.start(at)
    return network
  }

  get client(): Storage {
    return (this.nodes.get(this.keys.length - 1) as Node).storage
  }

  storage(at: number): Storage {
    return (this.nodes.get(at) as Node).storage
  }

  overlay(at: number): Overlay {
    return (this.nodes.get(at) as Node).overlay
  }

  /** The number of the node with this id. */
  at(id: DidKey): number {
    return this.keys.findIndex((key) => key.id === id)
  }

  async start(at: number): Promise<Storage> {
    const scope = new Scope({ name: `node ${at}` })
    const key = this.keys[at] as SigningKey
    const streams: Streams = {
      open: async (to, _protocol, signal) => {
        signal?.throwIfAborted()
        const other = this.#handlers.get(to)
        if (other === undefined) throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'it is down', fix: 'none' })
        const [near, far] = streamPair(key.id)
        other.handle(far, other.scope.signal).catch((error: unknown) => far.abort(error as Error))
        return { ...near, remote: to, write: (bytes) => ((this.sent += bytes.length), near.write(bytes)) }
      },
      handleStream: (_protocol, handle) => this.#handlers.set(key.id, { handle, scope }),
    }
    const overlay = {
      self: key.id,
      networkId: 'test-net',
      records: this.records,
      streams,
      peer: (id: DidKey) => ({ id, state: 'connected', since: 0, rttMs: 1, fault: undefined }),
      suspects: () => new Set(),
      term: () => ({ validators: [] }),
      revocations: () => ({ inForce: [...this.revoked].map((id) => ({ id, issuedUpTo: 1 })), pending: [] }),
      membership: {
        members: () => this.#members,
        member: (id: DidKey) => this.#members.find((one) => one.id === id),
        status: () => ({ signedAt: this.clock.now() }),
        isMember: (id: DidKey) => this.#members.some((one) => one.id === id),
      },
    } as unknown as Overlay
    const isHolder = at < this.keys.length - 1
    const storage = await createStorage({
      overlay,
      personKey: key,
      directory: join(this.#directory, String(at)),
      clock: this.clock,
      random: systemRandom,
      logger: silentLogger,
      scope,
      workers: 1,
      ...(isHolder && { holder: { quotaBytes: 2 ** 30, reserveBytes: 0, key } }),
    })
    this.nodes.set(at, { storage, scope, overlay })
    return storage
  }

  /** Stops a node; it stays in the map. */
  async stop(at: number): Promise<void> {
    this.#handlers.delete((this.keys[at] as SigningKey).id)
    await this.nodes.get(at)?.scope.close()
    this.nodes.delete(at)
  }

  /** Starts a holder anew with nothing on its disk. */
  async empty(at: number): Promise<void> {
    await this.stop(at)
    rmSync(join(this.#directory, String(at), 'shards'), { recursive: true })
    await this.start(at)
  }

  /** Takes the bytes of all large shards from the disk of a holder, which sees at its start that they are gone. */
  async damage(at: number): Promise<void> {
    await this.stop(at)
    const files = globSync(join(this.#directory, String(at), 'shards/large/*/*'))
    for (const path of files) if (statSync(path).isFile()) rmSync(path)
    await this.start(at)
  }

  /** Takes a node out of the map. */
  drop(at: number): void {
    this.#members = this.#members.filter(({ id }) => id !== (this.keys[at] as SigningKey).id)
  }

  /** Puts a node back into the map. */
  join(at: number): void {
    this.drop(at)
    this.#members = [...this.#members, memberAt((this.keys[at] as SigningKey).id, at)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const at of this.nodes.keys()) await this.stop(at)
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Goes on with the clock until it is so. Disks and coding threads take real time: while something is repaired it stands. */
export async function advanceUntil(
  { clock, client }: StorageNetwork,
  stepMs: number,
  times: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<boolean> {
  for (let at = 0; at < times; at++) {
    await clock.advance(stepMs)
    while (client.repaired().running) await new Promise((resolve) => setImmediate(resolve))
    if (await isSo()) return true
  }
  return false
}
