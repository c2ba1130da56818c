import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CellFlow, type PeerShare, newFlow, newShare } from '../../src/queue/cell-flow.ts'
import { CoDel } from '../../src/queue/codel.ts'
import { FairQueue } from '../../src/queue/fair-queue.ts'
import { INTERACTIVE_CELLS, INTERACTIVE_QUANTUM, PEER_FACTOR } from '../../src/queue/queue-limits.ts'

const BODY = 1404

/** A queue with flows of which two are of one neighbour; each cell says its number. */
function queueOf(flows: number, capacity: number) {
  const drops = { queueFull: 0, queueLate: 0 }
  const queue = new FairQueue<number>(capacity, drops)
  const shares: PeerShare[] = []
  const all = Array.from({ length: flows }, (_, owner) => {
    const share = (shares[owner >> 1] ??= newShare(`${owner >> 1}`))
    return newFlow(owner, share, undefined, 0)
  })
  const body = new Uint8Array(BODY)
  const view = new DataView(body.buffer)
  const put = (flow: CellFlow<number>, number: number, now = 0): boolean => {
    view.setUint32(0, number)
    view.setUint32(BODY - 4, number)
    return queue.enqueue(flow, body, now)
  }
  const out = new Uint8Array(BODY)
  const outView = new DataView(out.buffer)
  const take = (now = 0): { readonly owner: number; readonly number: number } | undefined => {
    const flow = queue.dequeue(out, now)
    if (flow === undefined) return undefined
    assert.equal(outView.getUint32(0), outView.getUint32(BODY - 4))
    return { owner: flow.owner, number: outView.getUint32(0) }
  }
  return { queue, drops, shares, flows: all, put, take }
}

test('whatever comes and goes, order within a circuit and all bounds are kept, and nothing is lost but what is counted', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ put: fc.nat(7), cells: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 4, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(7) }) },
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.array(step, { maxLength: 80 }), (capacity, steps) => {
      const { queue, drops, shares, flows, put, take } = queueOf(8, capacity)
      const model = flows.map(() => [] as number[])
      let [now, refused, number] = [0, 0, 0]
      for (const each of steps) {
        now += 3
        if ('put' in each)
          for (let i = 0; i < each.cells; i++) {
            const flow: CellFlow<number> = flows[each.put]!
            const free = capacity - queue.size
            if (put(flow, ++number, now)) {
              model[each.put]!.push(number)
              assert.ok(flow.cells.length <= free && flow.share.waiting <= PEER_FACTOR * free)
            } else refused++
            assert.ok(flow.cells.length <= (capacity + 1) / 2)
            assert.ok(flow.share.waiting <= (capacity * PEER_FACTOR) / (PEER_FACTOR + 1) + 1)
          }
        else if ('remove' in each) {
          queue.remove(flows[each.remove]!)
          model[each.remove] = []
        } else
          for (let i = 0; i < each.take; i++) {
            const taken = take(now)
            if (taken === undefined) assert.ok(model.every(({ length }) => length === 0))
            else assert.equal(taken.number, model[taken.owner]!.shift())
          }
        const waiting = model.map(({ length }) => length)
        assert.equal(
          queue.size,
          waiting.reduce((sum, each) => sum + each, 0),
        )
        assert.ok(queue.size <= capacity)
        assert.deepEqual(
          flows.map(({ cells }) => cells.length),
          waiting,
        )
        for (const [at, share] of shares.entries()) assert.equal(share.waiting, waiting[2 * at]! + waiting[2 * at + 1]!)
        assert.equal(drops.queueFull, refused)
      }
    }),
  )
})

test('circuits that always have something waiting get the same but for a quantum and what a pause gives, whoever asks for more', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 8 }), (greed) => {
      const { flows, put, take } = queueOf(greed.length, 2_000)
      const got = greed.map(() => 0)
      const refill = (): void => {
        for (const [at, each] of greed.entries()) for (let i = 0; i < each; i++) put(flows[at]!, 0)
      }
      refill()
      for (let i = 0; i < 200 * greed.length; i++) {
        const taken = take()
        assert.ok(taken !== undefined)
        got[taken.owner]!++
        refill()
      }
      // Time stands still, so that nobody's larger quantum comes back.
      const apart = Math.max(...got) - Math.min(...got)
      assert.ok(apart <= INTERACTIVE_QUANTUM, `${got.join(' ')}`)
    }),
  )
})

test('a circuit that pauses to look like a small one gains no more than what a second gives back', () => {
  const { flows, put, take } = queueOf(4, 2_000)
  const [steady, , gaming] = flows as [CellFlow<number>, CellFlow<number>, CellFlow<number>]
  const got = [0, 0, 0]
  const rounds = 20_000
  // 1,000 cells a second go; the one keeps its queue full, the other sends a burst whenever its own is empty.
  for (let ms = 0; ms < rounds; ms++) {
    while (steady.cells.length < 100) put(steady, 0, ms)
    if (gaming.cells.length === 0) for (let i = 0; i < INTERACTIVE_QUANTUM; i++) put(gaming, 0, ms)
    got[take(ms)!.owner]!++
  }
  const seconds = rounds / 1_000
  assert.ok(got[2]! - got[0]! <= (seconds + 1) * INTERACTIVE_CELLS + INTERACTIVE_QUANTUM, got.join(' '))
  assert.ok(got[0]! > 0.45 * rounds, got.join(' '))
})

test('nobody starves: between two cells of a circuit with something waiting every other has a turn at most, and new ones one each', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 100, maxLength: 400 }), (arrivals) => {
      const { flows, put, take } = queueOf(10, 4_000)
      const victim = flows[0]!
      for (let i = 0; i < 400; i++) put(victim, i)
      let without = 0
      for (const from of arrivals) {
        if (from > 0) for (let i = 0; i < INTERACTIVE_QUANTUM + 1; i++) put(flows[from]!, i)
        const taken = take()
        without = taken?.owner === 0 ? 0 : without + 1
        assert.ok(without <= 2 * 9 * INTERACTIVE_QUANTUM, `${without} cells of others`)
      }
    }),
  )
})

test('who asks for little goes before those that wait in line', () => {
  const { queue, flows, put, take } = queueOf(3, 1_000)
  for (let i = 0; i < 100; i++) {
    put(flows[0]!, i)
    put(flows[1]!, i)
  }
  for (let i = 0; i < 40; i++) take()
  put(flows[2]!, 7)
  assert.deepEqual(take(), { owner: 2, number: 7 })
  assert.equal(queue.served.realtime, 2 * INTERACTIVE_QUANTUM + 1)
  assert.ok(queue.served.interactive > 0)
})

test('1,000 circuits that take nothing leave room for another one, in bounded memory', () => {
  const capacity = 4_096
  const { queue, flows, put } = queueOf(1_001, capacity)
  for (let round = 0; round < 100; round++) for (const flow of flows.slice(0, 1_000)) put(flow, round)
  assert.ok(queue.size < capacity)
  assert.ok(put(flows[1_000]!, 0))
})

test('a circuit whose cells wait too long for a while loses some of them, one with a cell at a time none', () => {
  const drops = { queueFull: 0, queueLate: 0 }
  const queue = new FairQueue<string>(1_000, drops)
  const flow = newFlow('late', newShare('peer'), new CoDel(5), 0)
  const body = new Uint8Array(BODY)
  for (let i = 0; i < 300; i++) queue.enqueue(flow, body, 0)
  // A cell a ms goes.
  for (let ms = 0; ms < 100; ms++) queue.dequeue(body, ms)
  assert.equal(drops.queueLate, 0)
  for (let ms = 100; ms < 190; ms++) queue.dequeue(body, ms)
  assert.ok(drops.queueLate >= 1 && drops.queueLate < 10, `${drops.queueLate}`)
  while (queue.size > 0) queue.dequeue(body, 200)
  const before = drops.queueLate
  for (let ms = 1_000; ms < 2_000; ms += 50) {
    queue.enqueue(flow, body, ms)
    queue.dequeue(body, ms + 40)
  }
  assert.equal(drops.queueLate, before)
})
