import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { SessionCode } from '../../src/session/protocol.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { loneSession } from './lone-channel.ts'
import { acknowledging, endless, obedient } from './memory-rig.ts'

// What the streams of one session take of the memory that an exit has for all, whatever its client and its targets do.

test('streams that are always full take no more when others want memory, too, though each ACK leaves nothing in flight', () => {
  const memory = new MemoryBudget(12 << 20)
  const { round, resets, opened, session } = endless(20, memory)
  let most = 0
  for (let turn = 1; turn < 2_000; turn++) {
    round((w) => {
      w.maxData(turn << 20)
      w.maxStreamData(4 * (turn % 20), turn << 20)
    })
    if (turn === 100) assert.ok(memory.take(4 << 20))
    most = Math.max(most, memory.used)
  }
  assert.deepEqual([session.state, resets], ['open', []])
  // A fifth of all, what a stream that had leave to write may bring at once, and what the others took.
  assert.ok(most < (3 << 20) + (4 << 20), `${most}`)
  const { dataSent } = session.stats
  assert.ok(dataSent > 5_000_000, `${dataSent} of ${opened.length} streams`)
})

test('a client that reads nothing and acknowledges again and again gets no more of the memory', () => {
  const memory = new MemoryBudget(12 << 20)
  const { round, resets } = endless(50, memory)
  for (let turn = 0; turn < 50; turn++) round(() => {})
  const before = memory.used
  for (let turn = 0; turn < 2_000; turn++) round((w) => void w.ping())
  assert.ok(memory.used <= before, `${memory.used} behind ${before}`)
  assert.ok(memory.used < 12 << 19, `${memory.used}`)
  assert.deepEqual(resets, [])
})

test('a client with as many streams as its share of memory allows, that reads nothing, has no more than that; each stream gets its turn', () => {
  const memory = new MemoryBudget(12 << 20)
  const { round, resets, opened, session } = endless(250, memory)
  for (let turn = 0; turn < 500; turn++) round(() => {})
  assert.ok(memory.used < 3 << 20, `${memory.used}`)
  const unsent = (): readonly number[] => opened.filter(({ send }) => send.finalSize === 0).map(({ id }) => id)
  // It reads one of them after another, the last first, and then all.
  for (let turn = 0; turn < 3_000; turn++)
    round((w) => {
      w.maxData((turn + 4) << 20)
      w.maxStreamData(4 * (249 - (turn % 250)), (turn + 4) << 20)
      assert.ok(memory.used < 4 << 20, `${memory.used}`)
    })
  assert.deepEqual([session.state, resets], ['open', []])
  assert.deepEqual(unsent(), [])
})

test('streams that have leave to write and nothing to write are stopped once others have used up the share, and go on later', () => {
  const memory = new MemoryBudget(12 << 20)
  const log = { full: 0, drained: 0 }
  const streams: SessionStream[] = []
  const lone = loneSession('exit', memory, (stream) => {
    streams.push(stream)
    stream.handler = { onFull: () => void log.full++, onDrain: () => void log.drained++ }
    stream.accept('192.0.2.1')
    assert.ok(stream.askRoom())
  })
  for (let id = 0; id < 100; id++) lone.give((w) => void w.open(4 * id, 80, 'a'))
  let writers = 0
  for (const stream of streams) {
    if (streams.every(({ isFull }) => isFull)) break
    writers++
    stream.write(new Uint8Array(65_536))
  }
  assert.ok(memory.used <= 12 << 18, `${memory.used}`)
  assert.ok(log.full >= 100 - writers && streams.every(({ isFull }) => isFull))
  const acknowledge = acknowledging(lone)
  for (let turn = 0; turn < 400; turn++) acknowledge((w) => w.maxData((turn + 2) << 20))
  assert.ok(log.drained >= log.full && streams.every(({ isFull }) => !isFull))
  assert.equal(lone.session.stats.dataSent, writers * 65_536)
})

test('a client that has all its connections get leave to write, one after another, and then fill at once gets its share all the same', () => {
  const memory = new MemoryBudget(12 << 20)
  const streams: SessionStream[] = []
  let resets = 0
  const { give } = loneSession('exit', memory, (stream) => {
    streams.push(stream)
    stream.handler = { onReset: () => void resets++ }
    stream.accept('192.0.2.1')
    stream.askRoom()
  })
  for (let id = 0; id < 250; id++) give((w) => void w.open(4 * id, 80, 'a'))
  for (let time = 0; time < 3; time++) {
    for (let turn = 0; turn < 1_000; turn++) give((w) => void w.ping())
    // What a socket does that is not paused.
    for (const stream of streams) if (!stream.isFull) stream.write(new Uint8Array(65_536))
    assert.ok(memory.used < 4 << 20, `${memory.used}`)
  }
  assert.equal(resets, 0)
})

test('streams whose limit leaves no room for a write get no turn beyond the share', () => {
  const memory = new MemoryBudget(12 << 20)
  const { rounds, has, resets, opened } = obedient(200, memory)
  // All but the last byte of what the client allows for each stream.
  for (let at = 0; at < 200; at++) {
    has(at, 262_143)
    rounds(30, 1 << 30)
  }
  assert.ok(opened.every(({ send }) => send.buffered === 0 && send.allowed === 1))
  for (let at = 0; at < 200; at++) has(at, 1 << 20)
  rounds(1_000, 1 << 30)
  assert.ok(memory.used < 4 << 20, `${memory.used}`)
  assert.deepEqual(resets, [])
})

test('where others hold the memory, streams that have nothing to write leave their turns to the one that has', () => {
  const memory = new MemoryBudget(12 << 20)
  assert.ok(memory.take((12 << 20) - 200_000))
  const { rounds, has, session, resets } = obedient(50, memory)
  rounds(3, 1 << 30)
  has(49, 200_000)
  // An ACK for each write, and some to spare.
  rounds(60, 1 << 30)
  assert.equal(session.stats.dataSent, 200_000)
  assert.deepEqual(resets, [])
})

test('empty rings are not kept beyond the share: many short answers leave the memory to others', () => {
  const memory = new MemoryBudget(12 << 20)
  const all = Array.from({ length: 5 }, () => obedient(100, memory))
  for (const { rounds, has, setPiece } of all) {
    setPiece(16_384)
    for (let at = 0; at < 100; at++) has(at, 16_384)
    rounds(600, 1 << 30)
  }
  assert.deepEqual(
    all.map(({ resets, session }) => [resets.length, session.stats.dataSent]),
    all.map(() => [0, 100 * 16_384]),
  )
  // Five parts of nine, and a write for each.
  assert.ok(memory.used < 7_800_000, `${memory.used}`)
})

test('sessions that wait for memory and have used up their share leave what is freed to those that have not', () => {
  const memory = new MemoryBudget(12 << 20)
  const greedy = Array.from({ length: 4 }, () => endless(10, memory))
  for (let turn = 0; turn < 200; turn++) for (const { round } of greedy) round(() => {})
  const before = memory.used
  const { session } = endless(4, memory)
  for (let turn = 0; turn < 20; turn++) {
    assert.ok(memory.take(400_000))
    memory.give(400_000)
    for (const { round } of greedy) round((w) => void w.ping())
  }
  session.close(SessionCode.none, '')
  assert.ok(memory.used <= before, `${memory.used} behind ${before}`)
})
