import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { GOOD, TARGET, settle } from './opened-stream.ts'
import { Source, World, exchange, simulatedPath } from './simulated-path.ts'

test('reset and end in any order and at any moment, by either side, with loss: both sides forget every stream', () => {
  const action = fc.constantFrom('write', 'end', 'reset', 'consume')
  fc.assert(
    fc.property(
      fc.nat(1e6),
      fc.array(fc.tuple(fc.boolean(), action, fc.nat(30)), { maxLength: 12 }),
      fc.constantFrom('accept', 'refuse', 'wait'),
      (seed, actions, answer) => {
        let atExit: SessionStream | undefined
        const path = simulatedPath(seed, { ...GOOD, drop: 0.1, duplicate: 0.1, reorder: 0.1 }, (stream) => {
          atExit = stream
          if (answer === 'accept') stream.accept('192.0.2.1')
          if (answer === 'refuse') stream.refuse(3)
        })
        const { session } = path.client
        const stream = session.openStream(TARGET)
        for (const [client, what, ms] of actions) {
          const side = client ? stream : atExit
          if (what === 'write') side?.write(new Uint8Array(40_000))
          else if (what === 'end') side?.end()
          else if (what === 'reset') side?.reset(9)
          else side?.consume(40_000)
          settle(path, ms)
        }
        stream.reset(0)
        settle(path, 20_000)
        // An exit whose target never answered gives up in the end; a stream that is over takes no notice.
        atExit?.refuse(8)
        settle(path, 20_000)
        assert.equal(session.streams, 0)
        assert.equal(path.exit.session.streams, 0)
        assert.equal(session.stats.memory + path.exit.session.stats.memory, 0)
        assert.deepEqual(path.ends, [])
      },
    ),
    { numRuns: 60 },
  )
})

test('streams that are reset half-way leave the windows of the session whole', () => {
  const opened: SessionStream[] = []
  const path = simulatedPath(11, { ...GOOD, drop: 0.01 }, (stream) => {
    opened.push(stream)
    stream.accept('192.0.2.1')
    stream.write(new Uint8Array(65_536))
    stream.write(new Uint8Array(65_536))
  })
  for (let i = 0; i < 60; i++) {
    const stream = path.client.session.openStream(TARGET)
    stream.write(new Uint8Array(65_536))
    stream.write(new Uint8Array(65_536))
    assert.ok(path.world.run(() => opened.length > i, path.world.now + 5_000))
    settle(path, i % 10)
    if (i % 2 === 0) stream.reset(9)
    else opened.at(-1)?.reset(9)
    settle(path, 500)
  }
  assert.equal(path.client.session.streams, 0)
  assert.equal(path.exit.session.streams, 0)
  const stream = path.client.session.openStream(TARGET)
  const down = exchange(stream, 2e6)
  assert.ok(path.world.run(() => opened.length === 61, path.world.now + 5000))
  const up = exchange(opened.at(-1)!, 2e6)
  assert.ok(path.world.run(() => down.ended && up.ended, path.world.now + 60_000))
})

test('more streams than the exit allows wait; hundreds one after another get their turn', () => {
  let served = 0
  const path = simulatedPath(3, { ...GOOD, drop: 0.02 }, (stream) => {
    served++
    exchange(stream, 100)
    stream.accept('192.0.2.1')
  })
  const streams = Array.from({ length: 1000 }, () => path.client.session.openStream(TARGET))
  assert.equal(streams.filter((stream) => stream.id >= 0).length, 256)
  const sinks = streams.map((stream) => exchange(stream, 50))
  assert.ok(path.world.run(() => sinks.every((sink) => sink.ended), 60_000))
  assert.equal(served, 1000)
  assert.deepEqual(path.ends, [])
})

test('streams share the link fairly', () => {
  const path = simulatedPath(4, { delay: 10, rate: 5000, queue: 200_000 }, (stream) => {
    exchange(stream, 20e6)
    stream.accept('192.0.2.1')
  })
  const sinks = Array.from({ length: 10 }, () => exchange(path.client.session.openStream(TARGET), 0))
  settle(path, 4000)
  const got = sinks.map((sink) => sink.received)
  assert.ok(Math.min(...got) > 1e6)
  assert.ok(Math.max(...got) < 1.3 * Math.min(...got), got.join(' '))
})

test('a receiver that never reads holds no more than its window, and the sender stops', () => {
  const path = simulatedPath(5, GOOD, (stream) => {
    const source = new Source(stream, 50e6)
    stream.handler = { onDrain: () => source.more() }
    stream.accept('192.0.2.1')
    source.more()
  })
  const streams = Array.from({ length: 8 }, () => path.client.session.openStream(TARGET))
  const got = streams.map(() => 0)
  for (const [i, stream] of streams.entries()) stream.handler = { onData: (chunk) => void (got[i]! += chunk.length) }
  settle(path, 5000)
  assert.ok(got.every((bytes) => bytes <= 256 * 1024))
  assert.equal(
    got.reduce((a, b) => a + b),
    1024 * 1024,
  )
  const { packetsSent } = path.exit.session.stats
  settle(path, 20_000)
  assert.ok(path.exit.session.stats.packetsSent - packetsSent < 50)
})

test("a hundred stalled sessions stay within the exit's memory, and one that reads still gets through", () => {
  const memory = new MemoryBudget(16 * 1024 * 1024)
  const world = new World()
  let most = 0
  const paths = Array.from({ length: 100 }, (_, i) =>
    simulatedPath(
      i,
      GOOD,
      (stream) => {
        const source = new Source(stream, 4e6)
        stream.handler = { onDrain: () => source.more() }
        stream.accept('192.0.2.1')
        source.more()
        most = Math.max(most, memory.used)
      },
      { memory, world },
    ),
  )
  for (const { client } of paths.slice(1)) for (let i = 0; i < 10; i++) client.session.openStream(TARGET)
  world.run(() => false, 3000)
  const reader = paths[0]!.client.session.openStream(TARGET)
  const sink = exchange(reader, 0)
  const done = world.run(() => sink.ended, 60_000)
  most = Math.max(most, memory.used)
  assert.ok(most <= memory.limit, `${most}`)
  assert.ok(done, `${sink.received} bytes, ${memory.used} held`)
  assert.equal(sink.isWrong, false)
  for (const { client, exit } of paths) {
    client.session.close(0, '')
    exit.session.close(0, '')
  }
  assert.equal(memory.used, 0)
})

test('bytes of streams are counted once each way, however often they are sent', () => {
  let sink: ReturnType<typeof exchange> | undefined
  const path = simulatedPath(22, { ...GOOD, drop: 0.1, duplicate: 0.1 }, (stream) => {
    stream.accept('192.0.2.1')
    sink = exchange(stream, 300_000)
  })
  const back = exchange(path.client.session.openStream(TARGET), 200_000)
  assert.ok(path.world.run(() => back.ended && sink?.ended === true, 60_000))
  const [client, exit] = [path.client.session.stats, path.exit.session.stats]
  assert.deepEqual([client.dataSent, client.dataReceived], [200_000, 300_000])
  assert.deepEqual([exit.dataSent, exit.dataReceived], [300_000, 200_000])
})
