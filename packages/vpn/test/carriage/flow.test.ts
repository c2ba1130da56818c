import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { CarriageConnection } from '../../src/carriage/carriage-connection.ts'
import { CarriageCounters } from '../../src/carriage/carriage-counters.ts'
import { QUEUED_BYTES } from '../../src/carriage/carriage-limits.ts'
import { Flow, GATHERED_BYTES } from '../../src/carriage/flow.ts'
import { FRAME_BYTES } from '../../src/carriage/frame-reader.ts'
import { GatherBuffers } from '../../src/carriage/gather-buffers.ts'

const PACKET = new Uint8Array(FRAME_BYTES - 2)

/** Takes what is written when told to, and not before. */
function connect(queued: { bytes: number }): { connection: CarriageConnection; take: () => void } {
  const taken: (() => void)[] = []
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => void taken.push(done) })
  const ignore = (): void => {}
  const events = { onPacket: ignore, onRead: ignore, onMalformed: ignore, onClose: ignore }
  return { connection: new CarriageConnection(socket as TLSSocket, queued, events), take: () => taken.shift()?.() }
}

function setUp() {
  const counters = new CarriageCounters()
  const queued = { bytes: 0 }
  const buffers = new GatherBuffers(GATHERED_BYTES)
  const flow = new Flow({ address: '192.0.2.1', port: 443, counters, queued, buffers, waits: false, onSend() {} })
  const send = (count: number): void => {
    for (let i = 0; i < count; i++) flow.send(PACKET)
    flow.flush()
  }
  return { counters, queued, buffers, flow, send }
}

test('when much waits at all together, only a connection where nothing waits takes more, the one in use included', async () => {
  const { counters, queued, flow, send } = setUp()
  const first = connect(queued)
  flow.add(first.connection)
  send(1)
  send(1)
  assert.equal(counters.sent, 2)
  queued.bytes += QUEUED_BYTES
  send(1)
  assert.deepEqual([counters.sent, counters.carriageFull], [2, 1])
  const second = connect(queued)
  flow.add(second.connection)
  send(1)
  send(1)
  assert.deepEqual([counters.sent, counters.carriageFull], [3, 2])
  assert.deepEqual([first.connection.waiting, second.connection.waiting], [2 * FRAME_BYTES, FRAME_BYTES])
  second.take()
  await new Promise(setImmediate)
  send(1)
  assert.deepEqual([counters.sent, counters.carriageFull], [4, 2])
  queued.bytes -= QUEUED_BYTES
  send(1)
  assert.deepEqual([counters.sent, counters.carriageFull], [5, 2])
})

test('a flow with nothing gathered has no memory for it, whether it was handed over or dropped', () => {
  const { queued, buffers, flow, send } = setUp()
  const { connection } = connect(queued)
  flow.add(connection)
  assert.equal(buffers.lent, 0)
  flow.send(PACKET)
  assert.equal(buffers.lent, 1)
  flow.flush()
  assert.equal(buffers.lent, 0)
  queued.bytes += QUEUED_BYTES
  send(1)
  assert.equal(buffers.lent, 0, 'dropped for want of room')
  flow.send(PACKET)
  flow.remove(connection)
  assert.equal(buffers.lent, 0, 'dropped with the last connection')
})

test('buffers that were used at once are not all kept', () => {
  const buffers = new GatherBuffers(GATHERED_BYTES)
  const lent = Array.from({ length: 2_048 }, () => buffers.take())
  for (const each of lent) buffers.giveBack(each)
  assert.equal(buffers.lent, 0)
  assert.ok(buffers.kept > 0 && buffers.kept * GATHERED_BYTES <= 1024 * 1024, `${buffers.kept} kept`)
})
