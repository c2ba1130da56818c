import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Scope, WeftError, seededRandom, silentLogger, systemClock, systemRandom } from '@weft/core'
import { type DidKey, SigningKey, sha256 } from '@weft/crypto'
import type { Member, Overlay, Streams } from '@weft/overlay'
import { createStorage } from '../src/create-storage.ts'
import { streamPair } from '../src/object/stream-pair.ts'
import type { Storage } from '../src/storage.ts'
import { FakeRecords, memberAt } from './support/memory-network.ts'
import { chunksOf, readAll } from './support/test-storage.ts'

/** Nodes with real holders on disk, joined by streams in memory; a client and `count` of role storage. */
class RealHolders implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-storage-'))
  readonly records = new FakeRecords()
  readonly keys: SigningKey[]
  readonly nodes: { storage: Storage; scope: Scope }[] = []
  readonly #handlers = new Map<DidKey, { handle: Parameters<Streams['handleStream']>[1]; scope: Scope }>()
  readonly #members: Member[]

  /** The last key is the client's. */
  constructor(count: number) {
    this.keys = Array.from({ length: count + 1 }, (_, at) => new SigningKey(sha256(Uint8Array.of(at, 1))))
    this.#members = this.keys.slice(0, count).map((key, at) => memberAt(key.id, at))
  }

  async start(at: number): Promise<Storage> {
    const scope = new Scope({ name: `node ${at}` })
    const self = this.keys[at]!.id
    const streams: Streams = {
      open: async (to, _protocol, signal) => {
        signal?.throwIfAborted()
        const other = this.#handlers.get(to)
        if (other === undefined) throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'it is down', fix: 'none' })
        const [near, far] = streamPair(self)
        other.handle(far, other.scope.signal).catch((error: unknown) => far.abort(error as Error))
        return { ...near, remote: to }
      },
      handleStream: (_protocol, handle) => this.#handlers.set(self, { handle, scope }),
    }
    const overlay = {
      self,
      networkId: 'test-net',
      records: this.records,
      streams,
      peer: (id: DidKey) => ({ id, state: 'connected', since: 0, rttMs: 1, fault: undefined }),
      suspects: () => new Set(),
      term: () => ({ validators: [] }),
      membership: {
        members: () => this.#members,
        member: (id: DidKey) => this.#members.find((one) => one.id === id),
        isMember: (id: DidKey) => this.#members.some((one) => one.id === id),
      },
    } as unknown as Overlay
    const storage = await createStorage({
      overlay,
      personKey: this.keys[at]!,
      directory: join(this.directory, String(at)),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      scope,
      ...(at < this.#members.length && { holder: { quotaBytes: 2 ** 30, reserveBytes: 0, key: this.keys[at]! } }),
    })
    this.nodes[at] = { storage, scope }
    return storage
  }

  async stop(at: number): Promise<void> {
    this.#handlers.delete(this.keys[at]!.id)
    await this.nodes[at]?.scope.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const at of this.nodes.keys()) await this.stop(at)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

const bytes = seededRandom(3).bytes(300_000)

test('on real holders: put, restart of holders and client, get, stat, and the list', async () => {
  await using network = new RealHolders(9)
  for (let at = 0; at < 9; at++) await network.start(at)
  const client = await network.start(9)
  const stored = await client.put(chunksOf(bytes, 9_999), { name: 'a secret name', size: bytes.length })
  assert.equal(
    network.nodes.reduce((sum, { storage }) => sum + storage.held().shards, 0),
    9,
  )
  for (let at = 0; at < 6; at++) await network.stop(at)
  assert.equal(Buffer.compare(await readAll((await client.get(stored.ref)).body), bytes), 0)
  assert.equal((await client.stat(stored.ref)).segments[0]?.alive, 3)
  for (let at = 0; at < 6; at++) await network.start(at)
  assert.equal((await client.stat(stored.ref)).health, 'healthy')
  await network.stop(9)
  const again = await network.start(9)
  const { warnings, ...listed } = stored
  assert.deepEqual(warnings, [])
  assert.deepEqual(again.list(), [listed])
  const index = readFileSync(join(network.directory, '9', 'objects.sqlite'), 'latin1')
  assert.ok(
    !index.includes('a secret name') && !index.includes(stored.ref.split('#')[1]!),
    'name and key are not readable in the file',
  )
})

test('on real holders: an abort leaves no shard, neither in the index nor on disk', async () => {
  await using network = new RealHolders(9)
  for (let at = 0; at < 9; at++) await network.start(at)
  const client = await network.start(9)
  const controller = new AbortController()
  const endless = async function* () {
    for (;;) yield bytes
  }
  const put = client.put(endless(), { signal: controller.signal, onProgress: () => controller.abort() })
  await assert.rejects(put, { code: 'E_ABORTED' })
  for (const { storage } of network.nodes) assert.equal(storage.held().shards, 0)
  // The holders' unfinished files go as their streams end, which is a moment after the release.
  const files = (): string[] =>
    readdirSync(network.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath.includes('/large'))
      .map((entry) => join(entry.parentPath, entry.name))
  const deadline = Date.now() + 10_000
  while (files().length > 0 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(files(), [])
  assert.deepEqual(network.records.live(), [])
  assert.deepEqual(client.list(), [])
})

test('on real holders: a removed object leaves their disks, who was away says so later, and nothing brings it back', async () => {
  await using network = new RealHolders(9)
  for (let at = 0; at < 9; at++) await network.start(at)
  const client = await network.start(9)
  // In files of their own; the other one in logs.
  const { object } = await client.put(chunksOf(seededRandom(4).bytes(2_000_000), 65_536))
  const { warnings: _, ...other } = await client.put(chunksOf(bytes, 65_536))
  await network.stop(4)
  const removal = await client.remove(object)
  assert.deepEqual([removal.state, removal.holders.filter(({ receipt }) => receipt?.shards === 1).length], ['open', 8])
  const large = (at: number): string[] =>
    readdirSync(join(network.directory, String(at), 'shards', 'large'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
  const holders = Array.from({ length: 9 }, (_, at) => at)
  assert.deepEqual(
    holders.map((at) => large(at).length),
    [0, 0, 0, 0, 1, 0, 0, 0, 0],
  )
  await network.stop(9)
  await network.start(4)
  const again = await network.start(9)
  assert.deepEqual(again.list(), [other])
  const done = await again.remove(object)
  assert.equal(done.state, 'done')
  assert.deepEqual(holders.flatMap(large), [])
  assert.equal(
    network.nodes.reduce((sum, { storage }) => sum + storage.held().shards, 0),
    9,
    'the other object stays',
  )
  assert.equal((await again.stat(other.ref)).health, 'healthy')
})

test('a holder that puts an object keeps one of its shards itself', async () => {
  await using network = new RealHolders(9)
  for (let at = 0; at < 9; at++) await network.start(at)
  const own = network.nodes[4]!.storage
  const { ref } = await own.put(chunksOf(bytes, 65_536))
  assert.equal(own.held().shards, 1)
  assert.equal(Buffer.compare(await readAll((await own.get(ref)).body), bytes), 0)
})

test('the list of objects is refused with another person key', async () => {
  await using network = new RealHolders(9)
  for (let at = 0; at < 9; at++) await network.start(at)
  const client = await network.start(9)
  await client.put(chunksOf(bytes, 65_536))
  await network.stop(9)
  network.keys[9] = SigningKey.generate()
  await assert.rejects(network.start(9), { code: 'E_OBJECT_INDEX' })
})

test('a state directory that cannot be used is named', async () => {
  await using network = new RealHolders(0)
  writeFileSync(join(network.directory, '0'), 'a file where the directory should be')
  await assert.rejects(network.start(0), { code: 'E_OBJECT_INDEX' })
})
