import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FrameWriter } from '../../src/session/frame-writer.ts'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { SessionCode } from '../../src/session/protocol.ts'
import { loneSession } from './lone-channel.ts'
import { acknowledging, data, late, obedient, untaken } from './memory-rig.ts'
import { PAYLOAD } from './simulated-path.ts'

// How sessions of an exit share its memory with each other, and what counts against it.

test('sessions that are just within their share are stopped when another one writes, before they do', () => {
  const memory = new MemoryBudget(12 << 20)
  const all = Array.from({ length: 60 }, () => late(30, memory))
  // One write after another of each, and none is acknowledged.
  for (let round = 0; round < 30; round++)
    for (const { opened, told, write } of all) {
      const stream = opened[round]
      if (stream !== undefined && told.has(stream)) write(stream)
    }
  // Whoever has leave to write uses it, all before a packet comes.
  for (const { told, write } of all) for (const stream of told) write(stream)
  assert.ok(memory.used <= (12 << 20) - 3 * 65_536, `${memory.used}`)
  assert.deepEqual(
    all.map(({ resets }) => resets.length),
    all.map(() => 0),
  )
  assert.ok(all.every(({ told, opened }) => told.size === 0 && opened.every(({ isFull }) => isFull)))
})

test('a stream whose ring would grow beyond the share is stopped when others take their parts', () => {
  const memory = new MemoryBudget(12 << 20)
  const all = Array.from({ length: 7 }, () => late(20, memory))
  for (const { opened, told, write, acknowledge, session } of all) {
    // Until much may be in flight.
    const [first] = opened
    assert.ok(first !== undefined)
    const allow = (w: FrameWriter): void => {
      w.maxData(1 << 30)
      w.maxStreamData(0, 1 << 30)
    }
    for (let turn = 0; turn < 40 && session.stats.cwnd < 256_000; turn++) {
      acknowledge(allow, Infinity, 10)
      while (told.has(first)) write(first)
    }
    for (let turn = 0; turn < 40 && first.send.buffered > 0; turn++) acknowledge(allow, Infinity, 10)
    assert.deepEqual([session.stats.cwnd >= 256_000, first.send.buffered], [true, 0], `${session.stats.cwnd}`)
  }
  // A ring of 512 KiB each that has room for a write no more.
  for (const { opened, told, write } of all) {
    const [first] = opened
    assert.ok(first !== undefined)
    while (first.send.buffered < 500_000) {
      assert.ok(told.has(first), `${first.send.buffered}`)
      write(first, 10_000)
    }
  }
  // The others bring each session to where it has its share still, and not much beside it.
  for (let round = 1; round < 20; round++)
    for (const { opened, told, write, session } of all) {
      const stream = opened[round]
      const isNear = session.stats.memory + 3 * 65_536 > memory.share
      if (stream !== undefined && told.has(stream) && !isNear) write(stream)
    }
  for (const { opened, told, write } of all)
    for (const stream of opened.slice(0, 1)) if (told.has(stream)) write(stream)
  for (const { session } of all)
    assert.ok(session.stats.memory <= memory.share, `${session.stats.memory} of ${memory.share}`)
  assert.deepEqual(
    all.flatMap(({ resets }) => resets),
    [],
  )
})

test('without share each stream that has something to write has its turn, also when it writes some time after it was told', () => {
  const memory = new MemoryBudget(12 << 20)
  assert.ok(memory.take((12 << 20) - 200_000))
  const { opened, told, write, acknowledge, resets } = late(12, memory)
  const written = opened.map(() => 0)
  for (let turn = 0; turn < 120; turn++) {
    acknowledge((w) => {
      w.maxData(1 << 30)
      for (const { id } of opened) w.maxStreamData(id, 1 << 30)
    })
    // The first two have nothing to write. The others write 16 KiB, the first that was told before all others.
    const next = [...told].find((stream) => opened.indexOf(stream) > 1)
    if (next === undefined) continue
    write(next, 16_384)
    // It was its turn alone.
    assert.equal(told.size, 0)
    written[opened.indexOf(next)] = (written[opened.indexOf(next)] ?? 0) + 1
  }
  assert.ok(
    written.slice(2).every((count) => count >= 4 && count <= 12),
    written.join(),
  )
  assert.deepEqual(resets, [])
})

test('where less than a write is free, streams wait for memory and are not reset for want of it', () => {
  const memory = new MemoryBudget(12 << 20)
  assert.ok(memory.take((12 << 20) - 60_000))
  const { rounds, has, session, resets } = obedient(20, memory)
  for (let at = 0; at < 20; at++) has(at, 65_536)
  rounds(20, 1 << 30)
  assert.deepEqual([session.stats.dataSent, resets], [0, []])
  memory.give(20_000)
  rounds(200, 1 << 30)
  assert.deepEqual([session.stats.dataSent, resets], [20 * 65_536, []])
})

test('sessions that have leave to write beyond their share are stopped when another one has used up what is free', () => {
  const memory = new MemoryBudget(12 << 20)
  assert.ok(memory.take((12 << 20) - 100_000))
  const all = Array.from({ length: 10 }, () => late(5, memory))
  for (const { acknowledge } of all) acknowledge((w) => void w.ping())
  assert.ok(all.every(({ told }) => told.size === 5))
  for (const { told, write } of all) for (const stream of told) write(stream)
  assert.deepEqual(
    all.flatMap(({ resets }) => resets),
    [],
  )
  assert.equal(all.filter(({ session }) => session.stats.memory > 0).length, 1)
})

test('a write that there is no memory for ends the turn, too: its stream is reset, and no other one', () => {
  const memory = new MemoryBudget(12 << 20)
  assert.ok(memory.take((12 << 20) - 100_000))
  const { opened, told, write, acknowledge, resets } = late(5, memory)
  acknowledge((w) => void w.ping())
  const [first] = opened
  assert.ok(first !== undefined && told.size === 5)
  write(first, 100_001)
  assert.deepEqual([told.size, resets], [0, [SessionCode.limit]])
})

test('a session whose streams are stopped for others looks at once whether one has a turn', () => {
  const memory = new MemoryBudget(12 << 20)
  const { told, session, wakes } = late(5, memory)
  while (session.next() !== undefined) session.fill(new Uint8Array(PAYLOAD))
  const { count } = wakes
  const other = late(1, memory)
  assert.ok(memory.take((12 << 20) - 300_000))
  const [stream] = other.opened
  assert.ok(stream !== undefined)
  other.write(stream)
  assert.deepEqual([told.size, wakes.count], [0, count + 1])
  session.endBatch()
  assert.equal(told.size, 5)
})

test('a session without share gives back the empty rings of connections that only received', () => {
  const memory = new MemoryBudget(12 << 20)
  const { give, session } = loneSession('exit', memory, (stream) => {
    stream.handler = { onData: ({ length }) => stream.consume(length) }
    stream.accept('192.0.2.1')
    stream.askRoom()
  })
  for (let id = 0; id < 200; id++) {
    give((w) => void w.open(4 * id, 80, 'a'))
    give((w) => data(w, 4 * id, 0, 10, false))
  }
  const { memory: before } = session.stats
  assert.ok(before >= 200 * 4_096, `${before}`)
  const other = late(1, memory)
  assert.ok(memory.take((12 << 20) - memory.used - 1_100_000))
  const [stream] = other.opened
  assert.ok(stream !== undefined)
  other.write(stream)
  assert.ok(session.stats.memory <= memory.share && memory.share < before, `${session.stats.memory} of ${memory.share}`)
})

test('what a target does not take counts against the memory of its session, but for a packet of each stream', () => {
  const memory = new MemoryBudget(12 << 20)
  const { give, session, loose } = untaken(memory)
  for (let id = 0; id < 200; id++) give((w) => void w.open(4 * id, 80, 'a'))
  for (let at = 0; at < 150_000; at += 1_000)
    for (let id = 0; id < 5; id++) give((w) => data(w, 4 * id, at, 1_000, false))
  assert.equal(loose(), 0)
  assert.ok(session.stats.memory >= 750_000, `${session.stats.memory}`)
  const { memory: before, dataReceived } = session.stats
  assert.ok(memory.take((12 << 20) - memory.used - 500_000))
  for (let round = 0; round < 10; round++)
    for (let id = 5; id < 45; id++) give((w) => data(w, 4 * id, 1_000 * round, 1_000, false))
  assert.deepEqual([loose(), session.stats.memory], [40_000, before])
  assert.equal(session.stats.dataReceived, dataReceived + 40_000)
})

test('a stream of which both ends came stays until its target has taken all; the end of its session resets it, and gives all back', () => {
  const memory = new MemoryBudget(12 << 20)
  const first = untaken(memory)
  const { give, session, opened, log } = first
  const acknowledge = acknowledging(first)
  give((w) => {
    for (let id = 0; id < 3; id++) {
      w.open(4 * id, 80, 'a')
      data(w, 4 * id, 0, 100, true)
    }
  })
  // One has no memory for what came.
  const free = (12 << 20) - memory.used
  assert.ok(memory.take(free))
  give((w) => {
    w.open(12, 80, 'a')
  })
  give((w) => data(w, 12, 0, 100, true))
  memory.give(free)
  for (const stream of opened) stream.end()
  for (let turn = 0; turn < 5; turn++) acknowledge((w) => void w.ping())
  assert.deepEqual([session.streams, log], [4, ['12 end']])
  const [one, two, , four] = opened
  assert.equal(one?.peek()?.length, 100)
  one?.consume(40)
  assert.equal(one?.peek()?.length, 60)
  one?.consume(60)
  four?.consume(100)
  // Its target is gone: what it had said is on its way, so it is not reset.
  two?.abandon(SessionCode.connectionReset)
  acknowledge((w) => void w.ping())
  assert.deepEqual([session.streams, log], [1, ['12 end', '0 end']])
  session.close(SessionCode.none, '')
  assert.deepEqual(log, ['12 end', '0 end', `8 reset ${SessionCode.none}`])
  assert.equal(memory.used, 0)
})

test('an owner that passes on nothing more takes back nothing of what it wrote, where both ends were said', () => {
  const first = untaken(new MemoryBudget(12 << 20))
  const { give, session, opened } = first
  for (const id of [0, 4])
    give((w) => {
      w.open(id, 80, 'a')
      data(w, id, 0, 100, id === 0)
    })
  for (const stream of opened) {
    stream.write(new Uint8Array(1_000))
    stream.end()
    stream.abandon(SessionCode.connectionReset)
  }
  const acknowledge = acknowledging(first)
  for (let turn = 0; turn < 5; turn++) acknowledge((w) => void w.ping())
  // The second had not ended: it is reset.
  assert.deepEqual([session.stats.dataSent, opened.map(({ code }) => code)], [1_000, [0, SessionCode.connectionReset]])
})
