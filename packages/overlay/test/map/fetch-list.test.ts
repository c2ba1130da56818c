import assert from 'node:assert/strict'
import { zstdCompressSync } from 'node:zlib'
import { test } from 'node:test'
import { VirtualClock, WeftError, equalBytes, silentLogger } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { MapChangesSchema } from '@weft/wire'
import { fetchList } from '../../src/map/fetch-list.ts'
import { decodeMapBody } from '../../src/map/map-body.ts'
import { mapReader } from '../../src/map/map-reader.ts'
import { serveMap } from '../../src/map/map-server.ts'
import { MapSource } from '../../src/map/map-source.ts'
import { packMessage } from '../../src/map/packed-message.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { NO_REVOCATIONS, BEGIN, EPOCH, codeOf, temporaryDirectory, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { ManyEntries, signedMapOf } from './many-entries.ts'

const fixture = testNetwork(4, 2)
const [server, client] = fixture.keys.slice(4).map(({ id }) => id) as [DidKey, DidKey]
const signers: SigningKey[] = fixture.keys.slice(0, fixture.network.quorum)
const { signal } = new AbortController()

/** A server and a client in a network of their own; both hold the map of the first epoch. */
class Pair implements Disposable {
  readonly clock = new VirtualClock(BEGIN + EPOCH)
  readonly network = new MemoryNetwork(this.clock)
  readonly many = new ManyEntries(fixture.network.id, 300)
  readonly server: SignedMembership
  readonly client: SignedMembership
  readonly #directory = temporaryDirectory()
  readonly #databases: MembershipDatabase[] = []
  #epoch = 1

  constructor() {
    const membership = (name: string): SignedMembership => {
      const database = new MembershipDatabase(`${this.#directory.path}/${name}`)
      this.#databases.push(database)
      return new SignedMembership({
        network: fixture.network,
        database,
        revocations: NO_REVOCATIONS,
        clock: this.clock,
        logger: silentLogger,
      })
    }
    this.server = membership('server')
    this.client = membership('client')
    serveMap(this.network.add(server).rpc, this.server, fixture.network)
    this.network.add(client)
    const entries = this.many.entries()
    const map = signedMapOf(fixture.network, signers, entries, 1)
    this.server.adopt(map, entries)
    this.client.adopt(map, entries)
  }

  /** The map of another epoch at the server. */
  async next(change: Parameters<ManyEntries['change']>[0]): Promise<Uint8Array[]> {
    this.#epoch++
    this.many.change(change, this.#epoch)
    const entries = this.many.entries()
    await this.clock.advance(EPOCH)
    this.server.adopt(signedMapOf(fixture.network, signers, entries, this.#epoch), entries)
    return entries
  }

  /** Fetches the server's list, as from nothing or from what the client holds. */
  fetch(held = this.client.heldList()): ReturnType<typeof fetchList> {
    const rpc = this.network.nodes.get(client)?.rpc as NonNullable<ReturnType<MemoryNetwork['add']>['rpc']>
    const body = decodeMapBody(this.server.head()?.body as Uint8Array)
    return fetchList(new MapSource({ rpc, clock: this.clock }, server), mapReader, held, body, signal)
  }

  methods(): string[] {
    return this.network.calls.splice(0).map(({ method }) => method)
  }

  [Symbol.dispose](): void {
    for (const database of this.#databases) database[Symbol.dispose]()
    this.#directory[Symbol.dispose]()
  }
}

function areSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, at) => equalBytes(bytes, b[at] as Uint8Array))
}

test('of a map some epochs back only the changes are fetched, in one call', async () => {
  using pair = new Pair()
  await pair.next({ renewed: 5, come: 2 })
  await pair.next({ renewed: 5, left: 2 })
  const entries = await pair.next({ come: 1 })
  assert.ok(areSame((await pair.fetch()).bytes(), entries))
  assert.deepEqual(pair.methods(), ['map.changes'])
})

test('from a map that the server never held, what is missing is found by comparing; too different ones come whole', async () => {
  using pair = new Pair()
  const entries = await pair.next({ renewed: 5, left: 2, come: 2 })
  // The client's own way: a map that the server was never at.
  const own = new ManyEntries(fixture.network.id, 300)
  own.change({ come: 3, left: 1 }, 1)
  const ownEntries = own.entries()
  await pair.clock.advance(EPOCH)
  pair.client.adopt(signedMapOf(fixture.network, signers, ownEntries, 3), ownEntries)
  assert.ok(areSame((await pair.fetch()).bytes(), entries))
  assert.deepEqual(new Set(pair.methods()), new Set(['map.changes', 'map.subtrees', 'map.pick']))
  const others = await pair.next({ renewed: 5_000 })
  pair.client.adopt(signedMapOf(fixture.network, signers, ownEntries, 4), ownEntries)
  assert.ok(areSame((await pair.fetch()).bytes(), others))
  assert.equal(pair.methods().at(-1), 'map.entries')
})

test('the map before the held one is still served: whoever is fetching it shall not have to begin anew', async () => {
  using pair = new Pair()
  const before = await pair.next({ renewed: 3 })
  const root = pair.server.heldList()?.root as Uint8Array
  await pair.next({ renewed: 3 })
  assert.ok(areSame(pair.server.list(root)?.bytes() ?? [], before))
  await pair.next({ renewed: 3 })
  assert.equal(pair.server.list(root), undefined)
})

test('a source that lies about changes is refused, and nothing of it is kept', async () => {
  using pair = new Pair()
  const before = pair.client.heldList()
  const entries = await pair.next({ renewed: 2 })
  const node = pair.network.nodes.get(server)
  const lies: (() => Uint8Array)[] = [
    () => new Uint8Array(),
    () => zstdCompressSync(new Uint8Array(64 * 1024 * 1024)),
    () => packMessage(MapChangesSchema, { entries: entries.slice(0, 3) }),
    () => packMessage(MapChangesSchema, { entries: entries.toReversed() }),
    () => packMessage(MapChangesSchema, { removed: [new Uint8Array(7)], entries }),
    () => packMessage(MapChangesSchema, { removed: [new Uint8Array(32)], entries }),
    () => packMessage(MapChangesSchema, { removed: entries.map((bytes) => bytes.subarray(39, 71)), entries: [] }),
  ]
  const codes: string[] = []
  for (const lie of lies) {
    node?.rpc.handle('map.changes', async () => ({ packed: lie() }))
    codes.push(await codeOf(() => pair.fetch()))
  }
  // The sixth names a key of nobody and sends all entries: it is right in the end.
  assert.deepEqual(codes, [
    'E_MAP_ENTRIES',
    'E_MAP_ENTRIES',
    'E_MAP_ENTRIES',
    'E_MAP_ENTRIES',
    'E_MAP_ENTRIES',
    'nothing',
    'E_MAP_ENTRIES',
  ])
  assert.equal(pair.client.heldList(), before)
})

test('a source that picks other entries than were asked for, or hands them out one by one, is refused', async () => {
  using pair = new Pair()
  const entries = await pair.next({ renewed: 3 })
  const node = pair.network.nodes.get(server)
  node?.rpc.handle('map.changes', async () => {
    throw new WeftError({ code: 'E_MAP_CHANGES_UNKNOWN', cause: 'It does not know.', fix: 'Compare.' })
  })
  const own = new ManyEntries(fixture.network.id, 300)
  own.change({ come: 3 }, 1)
  await pair.clock.advance(EPOCH)
  const ownEntries = own.entries()
  pair.client.adopt(signedMapOf(fixture.network, signers, ownEntries, 3), ownEntries)
  for (const picked of [[], entries.slice(0, 1), entries, [new Uint8Array(3_000)]]) {
    node?.rpc.handle('map.pick', async () => ({ entries: picked }))
    assert.equal(await codeOf(() => pair.fetch()), 'E_MAP_ENTRIES')
  }
})
