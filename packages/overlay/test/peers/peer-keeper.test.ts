import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, seededRandom, silentLogger } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { PeerStatus } from '../../src/overlay.ts'
import { PeerKeeper } from '../../src/peers/peer-keeper.ts'
import { advance, testKeys } from '../fixtures.ts'

const [a, b] = testKeys(2)
  .map(({ id }) => id)
  .toSorted() as [DidKey, DidKey]

/** A transport whose other side can be up, stopped or gone. */
function setUp(self: DidKey, other: DidKey) {
  const clock = new VirtualClock(1_000)
  const seen: PeerStatus[] = []
  const watched: string[] = []
  const dials: number[] = []
  let state: 'up' | 'stopped' | 'gone' = 'gone'
  let connected = false
  const listeners = new Set<(id: DidKey, connected: boolean) => void>()
  const unreachable = (): WeftError =>
    new WeftError({ code: 'E_NODE_UNREACHABLE', cause: 'no', fix: 'no', retryable: true })
  const transport = {
    connect: async () => {
      dials.push(clock.now())
      if (state !== 'up') throw unreachable()
      connected = true
    },
    connected: () => (connected ? [other] : []),
    onPeer: (listener: (id: DidKey, connected: boolean) => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    ping: () =>
      state === 'up'
        ? Promise.resolve(1.5)
        : state === 'gone'
          ? Promise.reject(unreachable())
          : new Promise<number>(() => {}),
  }
  const stop = new AbortController()
  const keeper = new PeerKeeper({
    self,
    transport,
    watch: {
      connected: () => void watched.push('connected'),
      lost: () => void watched.push('lost'),
    },
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    onState: (status) => seen.push(status),
  })
  keeper.start(stop.signal)
  keeper.keep(new Set([self, other]))
  return {
    clock,
    keeper,
    seen,
    watched,
    dials,
    stop: () => stop.abort(),
    set: (next: typeof state) => {
      state = next
    },
    kill: () => {
      state = 'gone'
      connected = false
      for (const listener of listeners) listener(other, false)
    },
    call: () => {
      state = 'up'
      connected = true
      for (const listener of listeners) listener(other, true)
    },
  }
}

test('a peer that is up is dialled and connected, and has the round trip of its last answer', async () => {
  const set = setUp(a, b)
  set.set('up')
  await advance(set.clock, 100)
  assert.deepEqual(
    set.seen.map(({ state }) => state),
    ['connecting', 'connected'],
  )
  assert.ok(set.watched.includes('connected'))
  set.keeper.answered(b, 2.5)
  assert.equal(set.keeper.status(b)?.rttMs, 2.5)
  assert.equal(await set.keeper.ping(b), 1.5)
  assert.equal(set.keeper.status(b)?.rttMs, 1.5)
  assert.equal(set.keeper.status(a), undefined, 'a node is no peer of itself')
})

test('only the one with the lesser id dials at once; the other gives it time', async () => {
  const first = setUp(a, b)
  const second = setUp(b, a)
  for (const set of [first, second]) {
    set.set('up')
    await advance(set.clock, 10)
  }
  assert.equal(first.dials.length, 1)
  assert.equal(second.dials.length, 0)
  second.call()
  await advance(second.clock, 10_000)
  assert.equal(second.dials.length, 0, 'it was called in the meantime')
})

test('a peer that is gone is dialled again with back-off, and found when it is back', async () => {
  const set = setUp(a, b)
  await advance(set.clock, 120_000)
  assert.equal(set.keeper.status(b)?.state, 'unreachable')
  const gaps = set.dials.slice(1).map((at, index) => at - (set.dials[index] as number))
  assert.ok(
    (gaps[0] as number) < 1_000 && (gaps.at(-1) as number) >= 15_000 && (gaps.at(-1) as number) <= 22_500,
    gaps.join(' '),
  )
  set.set('up')
  await advance(set.clock, 30_000)
  assert.equal(set.keeper.status(b)?.state, 'connected')
})

test('a closed connection shows at once', async () => {
  const set = setUp(a, b)
  set.set('up')
  await advance(set.clock, 1_000)
  set.kill()
  assert.equal(set.keeper.status(b)?.state, 'unreachable')
  assert.equal(set.keeper.status(b)?.since, set.clock.now())
  assert.equal(set.watched.at(-1), 'lost')
})

test('what the failure detection says shows, with how many observers, and its end with the next answer', async () => {
  const set = setUp(a, b)
  set.set('up')
  await advance(set.clock, 2_000)
  set.set('stopped')
  set.keeper.judged({ kind: 'standing', id: b, standing: 'down', observers: 4, silentMs: 6_100 })
  assert.equal(set.keeper.status(b)?.state, 'unreachable')
  assert.match(set.keeper.status(b)?.fault?.cause ?? '', /has not answered for 6 s, as seen by 4 observers/)
  await advance(set.clock, 60_000)
  assert.equal(set.dials.length, 1, 'the connection is still there: no dialling')
  set.keeper.judged({ kind: 'standing', id: b, standing: 'answers', observers: 1, silentMs: 0 })
  assert.equal(set.keeper.status(b)?.state, 'connected')
  set.keeper.judged({ kind: 'standing', id: b, standing: 'silent', observers: 1, silentMs: 9_000 })
  assert.match(set.keeper.status(b)?.fault?.cause ?? '', /by this node alone/)
  set.keeper.answered(b, 3)
  assert.equal(set.keeper.status(b)?.state, 'connected')
})

test('who has no connection is not connected, whatever is heard of it', async () => {
  const set = setUp(a, b)
  set.set('up')
  await advance(set.clock, 1_000)
  set.kill()
  set.keeper.judged({ kind: 'standing', id: b, standing: 'answers', observers: 1, silentMs: 0 })
  assert.equal(set.keeper.status(b)?.state, 'unreachable')
})

test('who is no longer kept is neither pinged nor dialled', async () => {
  const set = setUp(a, b)
  await advance(set.clock, 1_000)
  set.keeper.keep(new Set())
  const dials = set.dials.length
  await advance(set.clock, 60_000)
  assert.equal(set.dials.length, dials)
  assert.equal(set.keeper.status(b), undefined)
})

test('after the end nothing happens any more', async () => {
  const set = setUp(a, b)
  await advance(set.clock, 1_000)
  set.stop()
  const { length } = set.dials
  await advance(set.clock, 60_000)
  assert.equal(set.dials.length, length)
})
