import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CellFlow } from '../../src/queue/cell-flow.ts'
import { CellBucket } from '../../src/queue/cell-bucket.ts'
import { CellQueue } from '../../src/queue/cell-queue.ts'
import { OWN_WAITING_CELLS, TURN_CELLS } from '../../src/queue/queue-limits.ts'
import { Packet } from '../../src/packet/packet.ts'

interface Owner {
  readonly name: string
}

function queueWith(limit?: number) {
  const clock = { now: 0, monotonic: () => clock.now }
  const passed: string[] = []
  const told: string[] = []
  let waits = 0
  const drops = { queueFull: 0, queueLate: 0 }
  const queue = new CellQueue<Owner>({
    clock,
    drops,
    ...(limit === undefined ? {} : { allowance: new CellBucket(limit, 0) }),
    pass: ({ name }) => void passed.push(name),
    onRoom: ({ name }) => void told.push(name),
    onWaiting: () => void waits++,
  })
  const flow = (name: string, isOwn = false, peer = 'peer'): CellFlow<Owner> => queue.flow({ name }, peer, isOwn)
  const { body } = new Packet()
  /** A cell comes: it goes straight, or waits. */
  const come = (at: CellFlow<Owner>): boolean => {
    if (queue.mayPass()) return true
    queue.enqueue(at, body)
    return false
  }
  return { clock, queue, passed, told, drops, flow, come, waits: () => waits }
}

test('with nothing in the way cells go straight, batch after batch', () => {
  const { queue, flow, come, waits } = queueWith()
  const one = flow('one')
  for (let batch = 0; batch < 1_000; batch++) {
    queue.begin(31)
    for (let i = 0; i < 31; i++) assert.ok(come(one))
  }
  assert.deepEqual([queue.size, waits()], [0, 0])
})

test('a turn that is long already lets the rest wait, and the next turn takes each circuit in its turn', () => {
  const { queue, passed, flow, come, waits } = queueWith()
  const [greedy, small] = [flow('greedy'), flow('small')]
  queue.begin(400)
  for (let i = 0; i < TURN_CELLS; i++) assert.ok(come(greedy))
  queue.begin(400)
  for (let i = 0; i < 400; i++) assert.equal(come(greedy), false)
  assert.equal(come(small), false)
  assert.ok(waits() > 0)
  assert.equal(queue.serve(), false)
  assert.equal(queue.size, 0)
  assert.ok(passed.indexOf('small') < 10, `${passed.indexOf('small')}`)
  queue.begin(1)
  assert.ok(come(small))
})

test('while the system takes nothing cells wait, and go when it does', () => {
  const { queue, passed, flow, come } = queueWith()
  const one = flow('one')
  queue.hold(true)
  queue.begin(1)
  for (let i = 0; i < 5; i++) assert.equal(come(one), false)
  assert.equal(queue.serve(), false)
  assert.equal(queue.nextTimeout(), undefined)
  assert.deepEqual(passed, [])
  queue.hold(false)
  assert.equal(queue.serve(), false)
  assert.equal(passed.length, 5)
  queue.begin(1)
  assert.ok(come(one))
})

test('the limit of an operator is kept, and all of it is used', () => {
  const limit = 1_440_000 // a cell a ms
  const { clock, queue, passed, flow, come } = queueWith(limit)
  const one = flow('one')
  let straight = 0
  const seconds = 10
  for (; clock.now < seconds * 1_000; clock.now += 0.5) {
    queue.begin(1)
    if (come(one)) straight++
    if ((queue.nextTimeout() ?? Infinity) <= clock.now) queue.serve()
  }
  const all = straight + passed.length
  assert.ok(all >= seconds * 1_000 - 1 && all <= seconds * 1_000 + 20, `${all}`)
})

test('an own sender is asked to wait, and told when it may go on; the end of its circuit is not', () => {
  const { clock, queue, passed, told, flow } = queueWith(144_000) // ten ms a cell
  const { body } = new Packet()
  const own = flow('own', true)
  while (queue.mayPass());
  for (let i = 0; i < OWN_WAITING_CELLS; i++) {
    assert.ok(queue.hasRoom(own))
    queue.enqueue(own, body)
  }
  assert.equal(queue.hasRoom(own), false)
  queue.serve()
  assert.deepEqual(told, [])
  const due = queue.nextTimeout()
  assert.ok(due !== undefined && due > 0 && due <= 10, `${due}`)
  clock.now = due
  queue.serve()
  assert.deepEqual([told, passed], [['own'], ['own']])
  queue.drain(own)
  assert.equal(passed.length, OWN_WAITING_CELLS)
  queue.hasRoom(own)
  queue.remove(own)
  clock.now = 1_000
  queue.serve()
  assert.equal(told.length, 1)
})

test('what a circuit has waiting goes with it', () => {
  const { queue, passed, flow, come } = queueWith()
  const [gone, stays] = [flow('gone'), flow('stays')]
  queue.hold(true)
  for (let i = 0; i < 10; i++) {
    come(gone)
    come(stays)
  }
  queue.remove(gone)
  assert.equal(queue.size, 10)
  queue.hold(false)
  queue.serve()
  assert.deepEqual(new Set(passed), new Set(['stays']))
  queue.enqueue(gone, new Packet().body)
  assert.equal(queue.size, 0)
})

test('circuits of one neighbour have one share for as long as there is any, whichever ends first, and none is kept behind them', () => {
  const step = fc.record({ circuit: fc.nat(7), does: fc.constantFrom('wait', 'wait', 'serve', 'end', 'end') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { queue, flow, come } = queueWith()
      const flows = new Map<number, CellFlow<Owner>>()
      const peerOf = (circuit: number): string => (circuit < 4 ? 'one' : 'two')
      queue.hold(true)
      for (const { circuit, does } of steps) {
        const at = flows.get(circuit) ?? flow(`${circuit}`, circuit % 2 === 0, peerOf(circuit))
        flows.set(circuit, at)
        if (does === 'wait') come(at)
        else if (does === 'end') {
          queue.remove(at)
          queue.remove(at)
          flows.delete(circuit)
        } else {
          queue.hold(false)
          queue.serve()
          queue.hold(true)
        }
        for (const peer of ['one', 'two']) {
          const its = [...flows].filter(([each]) => peerOf(each) === peer).map(([, each]) => each)
          assert.ok(new Set(its.map(({ share }) => share)).size <= 1)
          const waiting = its.reduce((sum, { cells }) => sum + cells.length, 0)
          assert.equal(its[0]?.share.waiting ?? 0, waiting)
        }
        assert.equal(queue.peers, new Set([...flows.keys()].map(peerOf)).size)
      }
      for (const each of flows.values()) queue.remove(each)
      assert.deepEqual([queue.peers, queue.size], [0, 0])
    }),
  )
})

test('a thousand circuits of as many neighbours that nobody takes anything of fill one queue of 6 MB, and no more', () => {
  const { queue, drops, flow } = queueWith()
  const { body } = new Packet()
  const flows = Array.from({ length: 1_000 }, (_, at) => flow(`c${at}`, false, `p${at}`))
  let kept = 0
  for (let round = 0; round < 20; round++) for (const each of flows) if (queue.enqueue(each, body)) kept++
  assert.equal(queue.size, kept)
  assert.equal(drops.queueFull, 20_000 - kept)
  assert.ok(kept >= 4_000 && kept * body.length <= 6e6, `${kept} cells`)
})
