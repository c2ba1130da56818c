import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { deafClient } from './deaf-client.ts'
import { PAYLOAD } from './simulated-path.ts'

// A client that is sent much and acknowledges nothing of it: what an exit keeps for it is counted, and not kept for ever.

const LIMIT = 12 << 20

for (const [what, length, leastInFlight, least] of [
  ['datagrams that fill a packet', 1_300, 8_000, 600_000],
  ['datagrams of which many fit a packet', 20, 500, 300_000],
] as const) {
  test(`${what}: records of packets that are not acknowledged are of the memory of all, and come back when the leg ends`, () => {
    const memory = new MemoryBudget(LIMIT)
    const { session, grow, ping } = deafClient(memory, length)
    const before = memory.used
    grow()
    const { inFlight } = session.stats
    let most = 0
    ping(240, () => (most = Math.max(most, memory.used)))
    assert.ok(inFlight > leastInFlight * PAYLOAD, `${inFlight}`)
    // 66 bytes for each packet and 21 for each frame in flight, and a queue of datagrams; no more than half of a quarter, and that.
    assert.ok(most - before > least && most < LIMIT / 8 + (256 << 10), `${most - before}`)
    assert.deepEqual([session.legs.length, session.stats.inFlight], [0, 0])
    session.close(0, '')
    assert.equal(memory.used, 0)
  })
}

test('a leg whose client pings and acknowledges nothing ends a minute after it was heard, and not before', () => {
  const { session, world, grow, ping } = deafClient(new MemoryBudget(LIMIT), 1_300)
  grow()
  const since = world.now
  ping(240)
  assert.equal(session.legs.length, 0)
  assert.ok(world.now - since > 60_000 && world.now - since < 90_000, `${world.now - since}`)
})

test('many such clients hold a quarter of the memory with records, and leave one that comes then its floor', () => {
  const memory = new MemoryBudget(LIMIT)
  const all = Array.from({ length: 12 }, () => deafClient(memory, 1_300))
  for (const { grow, ping } of all) {
    grow()
    ping(20)
  }
  // And each 64 datagrams that wait.
  assert.ok(memory.used > LIMIT / 4 && memory.used < LIMIT / 4 + 12 * 100_000, `${memory.used}`)
  const late = deafClient(memory, 1_300)
  late.grow()
  // 192 in 1.5 s.
  assert.ok(late.packets() > 1_000 && late.session.stats.inFlight > 150 * PAYLOAD, `${late.packets()}`)
  for (const { session } of [...all, late]) session.close(0, '')
  assert.equal(memory.used, 0)
})
