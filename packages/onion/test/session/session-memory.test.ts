import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { SessionCode } from '../../src/session/protocol.ts'
import { Session } from '../../src/session/session.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { loneSession, streamData } from './lone-channel.ts'
import { PAYLOAD } from './simulated-path.ts'

test('without memory the next bytes in order still get through, however pieces are cut, and others are not acknowledged', () => {
  const got: number[][] = []
  let ends = 0
  const { session, give } = loneSession('exit', new MemoryBudget(6144), (stream) => {
    stream.handler = { onData: (chunk) => void got.push([...chunk]), onEnd: () => void ends++ }
    stream.accept('192.0.2.1')
  })
  /** The bytes of a stream that counts up from 0. */
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
  const piece = (from: number, to: number, fin = false): void =>
    give((w, payload) => {
      const length = w.streamHead(0, from, to - from, fin)
      payload.set(range(from, from + length), w.at)
      w.wrote(length)
    })
  give((w) => void w.open(0, 80, 'a'))
  piece(50, 60)
  const { bytesReceived } = session.stats
  assert.equal(bytesReceived, PAYLOAD)
  piece(0, 50)
  piece(50, 60)
  assert.deepEqual(got, [range(0, 50), range(50, 60)])
  // Sent again and cut elsewhere: what is new of it is handed on.
  piece(40, 90)
  piece(20, 60)
  assert.deepEqual(got.slice(2), [range(60, 90)])
  assert.equal(session.stats.dataReceived, 90)
  piece(90, 90, true)
  assert.deepEqual([got.length, ends, session.state], [3, 1, 'open'])
})

test('the exit counts every write against its memory: a stream that exceeds it is reset with code 10', () => {
  const resets: number[] = []
  let stream: SessionStream | undefined
  const session = new Session({
    role: 'exit',
    clock: { monotonic: () => 0 },
    random: seededRandom(1),
    payloadLength: PAYLOAD,
    memory: new MemoryBudget(1024 * 1024),
    onStream(opened) {
      stream = opened
      opened.handler = { onReset: (code) => void resets.push(code) }
      opened.accept('192.0.2.1')
    },
  })
  const payload = new Uint8Array(PAYLOAD)
  const writer = new FrameWriter()
  writer.reset(payload)
  writer.open(0, 80, 'a')
  writer.finish()
  session.receive(1, payload)
  let full = false
  while (resets.length === 0) if (!stream!.write(new Uint8Array(65_536))) full = true
  assert.ok(full)
  assert.deepEqual(resets, [10])
  assert.equal(session.stats.memory, 0)
})

test('streams that are named and never used cost an exit no more than it allows, and leave room for others', () => {
  const memory = new MemoryBudget(1024 * 1024)
  const exits = Array.from({ length: 20 }, () => loneSession('exit', memory, () => {}))
  for (const { session, give } of exits)
    for (let id = 0; id < 256 * 4; id += 4) {
      give((w) => void w.maxStreamData(id, 0))
      assert.equal(session.state, 'open')
    }
  const most = memory.limit / 6144
  assert.ok(memory.streams < most, `${memory.streams}`)
  assert.equal(
    memory.streams,
    exits.reduce((sum, { session }) => sum + session.streams, 0),
  )
  const late = loneSession('exit', memory, () => {})
  // What found no room is no frame of the past: it is taken when it comes again.
  late.give((w) => void w.open(0, 80, 'a'))
  assert.equal(late.session.streams, 1)
  for (const { session } of [...exits, late]) session.close(SessionCode.none, '')
  assert.equal(memory.streams, 0)
})

test('a stream for which there was no room is opened when it is asked for again', () => {
  const memory = new MemoryBudget(6144)
  const opened: string[] = []
  const [one, two] = [
    loneSession('exit', memory, () => {}),
    loneSession('exit', memory, (stream) => void opened.push(stream.target!.host)),
  ]
  one.give((w) => void w.open(0, 80, 'a'))
  two.give((w) => void w.open(0, 80, 'b'))
  assert.deepEqual([opened, two.session.stats.bytesReceived], [[], 0])
  one.session.close(SessionCode.none, '')
  two.give((w) => void w.open(0, 80, 'b'))
  assert.deepEqual(opened, ['b'])
})

test('bytes far ahead of their turn take at most half of the memory: what is sent finds room', () => {
  const memory = new MemoryBudget(24 * 1024 * 1024)
  for (let i = 0; i < 100; i++) {
    const { give } = loneSession('exit', memory, () => {})
    for (let id = 0; id < 16; id += 4) give((w) => streamData(w, id, 256 * 1024 - 1, 1, false))
  }
  assert.ok(memory.used <= memory.limit / 2 + 256 * 1024, `${memory.used}`)
  let stream: SessionStream | undefined
  const { give } = loneSession('exit', memory, (opened) => {
    stream = opened
    opened.accept('192.0.2.1')
  })
  give((w) => void w.open(0, 80, 'a'))
  assert.ok(stream?.write(new Uint8Array(64 * 1024)))
})
