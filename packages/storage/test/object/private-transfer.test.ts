import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { WeftError, seededRandom } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { Overlay } from '@weft/overlay'
import type { OpenPrivate } from '../../src/storage.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { chunksOf, readAll, testCoding, testStorage } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const bytes = seededRandom(1).bytes(200_000)

/** A node whose own connections carry nothing, and callers that do. */
function world(count = 10) {
  const network = new MemoryNetwork(count)
  const through = network.overlay()
  const direct: string[] = []
  const refuse = (what: string) => async (): Promise<never> => {
    direct.push(what)
    throw new Error(`${what} went out openly`)
  }
  const overlay = {
    ...through,
    streams: { open: refuse('a stream'), handleStream: () => {} },
    records: {
      getMutable: refuse('a read'),
      putMutable: refuse('a write'),
      get: refuse('a read'),
      putImmutable: refuse('a write'),
    },
  } as unknown as Overlay
  const callers: { readonly self: DidKey; isOpen: boolean; readonly asked: Set<DidKey> }[] = []
  /** Members that take no circuits. */
  const closed = new Set<DidKey>()
  const openPrivate: OpenPrivate = async () => {
    const caller = { self: SigningKey.generate().id, isOpen: true, asked: new Set<DidKey>() }
    callers.push(caller)
    return {
      self: caller.self,
      records: network.records,
      streams: {
        open: async (to, protocol, signal) => {
          caller.asked.add(to)
          if (closed.has(to))
            throw new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'It takes no circuits.', fix: 'Use another.' })
          return through.streams.open(to, protocol, signal)
        },
      },
      [Symbol.asyncDispose]: async () => {
        caller.isOpen = false
      },
    }
  }
  const isAllClosed = (): boolean => callers.every(({ isOpen }) => !isOpen)
  return { network, overlay, direct, callers, closed, openPrivate, isAllClosed }
}

test('put, get and stat go by callers of their own, each ended with its transfer; nothing goes openly', async () => {
  const { overlay, direct, callers, openPrivate, isAllClosed } = world()
  await using storage = testStorage(overlay, { coding, openPrivate })
  const stored = await storage.put(chunksOf(bytes, 65_536), { private: true, size: bytes.length })
  assert.ok(stored.private && storage.list()[0]?.private)
  assert.ok(isAllClosed())
  // Of what this node put privately it does not say to others openly that it wants it, whatever it is asked for.
  for (const wanted of [true, undefined, false] as const) {
    const reader = await storage.get(stored.ref, wanted === undefined ? {} : { private: wanted })
    assert.ok(Buffer.from(await readAll(reader.body)).equals(bytes))
    assert.ok(isAllClosed())
  }
  assert.equal((await storage.stat(stored.ref)).health, 'healthy')
  assert.deepEqual(direct, [])
  assert.equal(callers.length, 5)
  assert.equal(new Set(callers.map(({ self }) => self)).size, 5)
})

test('what was put privately is removed privately', async () => {
  const { network, overlay, direct, callers, openPrivate, isAllClosed } = world()
  await using storage = testStorage(overlay, { coding, openPrivate })
  const { object } = await storage.put(chunksOf(bytes, 65_536), { private: true })
  const removal = await storage.remove(object)
  assert.deepEqual([removal.state, removal.private, removal.holders.length], ['done', true, 9])
  assert.equal(network.shardCount, 0)
  assert.deepEqual([direct, callers.length], [[], 2])
  assert.notEqual(callers[0]?.self, callers[1]?.self)
  assert.ok(isAllClosed())
})

test('without a route nothing goes openly, and the removal waits for one', async () => {
  const { network, overlay, direct, openPrivate } = world()
  let isClosed = false
  const way: OpenPrivate = async (signal) => {
    if (isClosed) throw new WeftError({ code: 'E_NO_ENTRY', cause: 'Nobody is an entry.', fix: 'Wait.' })
    return openPrivate(signal)
  }
  await using storage = testStorage(overlay, { coding, openPrivate: way })
  const { object } = await storage.put(chunksOf(bytes, 65_536), { private: true })
  isClosed = true
  const removal = await storage.remove(object)
  assert.deepEqual([removal.state, removal.fault?.code, network.shardCount], ['open', 'E_NO_ENTRY', 9])
  assert.deepEqual([storage.list(), direct], [[], []])
  isClosed = false
  assert.equal((await storage.remove(object)).state, 'done')
})

test('without private it goes openly; what others put is read privately where that is asked for', async () => {
  const { network, openPrivate, overlay, direct } = world()
  await using owner = testStorage(network.overlay(), { coding })
  const { ref, private: isPrivate } = await owner.put(chunksOf(bytes, 65_536))
  assert.equal(isPrivate, false)
  await using reader = testStorage(overlay, { coding, openPrivate })
  await assert.rejects(reader.get(ref))
  assert.deepEqual(direct, ['a read'])
  assert.ok(Buffer.from(await readAll((await reader.get(ref, { private: true })).body)).equals(bytes))
  assert.deepEqual(direct, ['a read'])
})

test('a holder that takes no circuits is passed over; when too few do, the put says so, and nothing stays or goes openly', async () => {
  const { network, overlay, direct, closed, openPrivate, isAllClosed } = world(10)
  await using storage = testStorage(overlay, { coding, openPrivate })
  const [first, second] = network.holders.map(({ id }) => id)
  closed.add(first ?? assert.fail())
  const stored = await storage.put(chunksOf(bytes, 65_536), { private: true, class: 'tiny' })
  assert.ok(!(await storage.stat(stored.ref)).segments[0]?.shards.some(({ node }) => node === first))
  const before = network.shardCount
  closed.add(second ?? assert.fail())
  await assert.rejects(storage.put(chunksOf(bytes, 65_536), { private: true, class: 'tiny' }), (error) => {
    assert.ok(error instanceof WeftError)
    assert.equal(error.code, 'E_CLASS_UNAVAILABLE')
    assert.match(error.cause, /8 can be reached over a route/)
    assert.match(error.fix, /without --private/)
    return true
  })
  assert.equal(network.shardCount, before)
  assert.deepEqual(direct, [])
  assert.ok(isAllClosed())
})

test('where there are too few members for a class nobody is told to put it openly', async () => {
  const { overlay, openPrivate } = world(4)
  await using storage = testStorage(overlay, { coding, openPrivate })
  await assert.rejects(storage.put(chunksOf(bytes, 65_536), { private: true, class: 'tiny' }), (error) => {
    assert.ok(error instanceof WeftError)
    assert.equal(error.code, 'E_CLASS_UNAVAILABLE')
    assert.doesNotMatch(error.fix, /without --private/)
    return true
  })
})

test('where there is no route the transfer fails with its reason, and at a node without routes', async () => {
  const { overlay, direct } = world()
  const reason = new WeftError({ code: 'E_NO_ENTRY', cause: 'Nobody is an entry.', fix: 'Wait.' })
  const openPrivate: OpenPrivate = async () => {
    throw reason
  }
  for (const [given, code] of [
    [{ openPrivate }, 'E_NO_ENTRY'],
    [{}, 'E_PRIVATE_UNAVAILABLE'],
  ] as const) {
    await using storage = testStorage(overlay, { coding, ...given })
    const faults: unknown[] = []
    storage.on('transfer', ({ fault }) => void faults.push(fault?.code))
    await assert.rejects(storage.put(chunksOf(bytes, 65_536), { private: true }), { code })
    assert.deepEqual(faults, [undefined, code])
  }
  assert.deepEqual(direct, [])
})

test('a put that fails or is given up takes back what it left by the same caller, which then ends', async () => {
  const { network, overlay, direct, openPrivate, isAllClosed } = world(9)
  await using storage = testStorage(overlay, { coding, openPrivate })
  for (const holder of network.holders) holder.failCommit = true
  await assert.rejects(storage.put(chunksOf(bytes, 65_536), { private: true }))
  assert.equal(network.shardCount, 0)
  assert.deepEqual(network.records.live(), [])
  const stop = new AbortController()
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield bytes
      if (network.sent > 5_000_000) stop.abort()
    }
  }
  await assert.rejects(storage.put(endless(), { private: true, signal: stop.signal }))
  assert.equal(network.shardCount, 0)
  assert.ok(isAllClosed())
  assert.deepEqual(direct, [])
})

test('a body that nobody reads ends with its request', async () => {
  const { overlay, openPrivate, isAllClosed } = world()
  await using storage = testStorage(overlay, { coding, openPrivate })
  const { ref } = await storage.put(chunksOf(bytes, 65_536), { private: true })
  const stop = new AbortController()
  await storage.get(ref, { signal: stop.signal })
  assert.ok(!isAllClosed())
  stop.abort()
  assert.ok(isAllClosed())
})

test('to holders nobody is a member: a private object lives no longer than a stranger is granted', async () => {
  const { overlay, openPrivate } = world()
  const member = { ...overlay, membership: { ...overlay.membership, isMember: () => true } } as Overlay
  await using storage = testStorage(member, { coding, openPrivate })
  const ttlMs = 300 * 24 * 60 * 60_000
  await assert.rejects(storage.put(chunksOf(bytes, 65_536), { private: true, ttlMs }), { code: 'E_PUT_OPTION' })
})
