import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../src/index.ts'

describe('VirtualClock', () => {
  it('fires timers in order of their due time, then of their making', async () => {
    const clock = new VirtualClock(1_000)
    const fired: string[] = []
    clock.after(20, () => fired.push('b'))
    clock.after(10, () => fired.push('a'))
    clock.after(20, () => fired.push('c'))
    const cancel = clock.after(5, () => fired.push('never'))
    cancel()
    await clock.advance(19)
    assert.deepEqual(fired, ['a'])
    assert.equal(clock.now(), 1_019)
    await clock.advance(1)
    assert.deepEqual(fired, ['a', 'b', 'c'])
    assert.equal(clock.monotonic(), 20)
  })

  it('fires timers that timers make, at their own time', async () => {
    const clock = new VirtualClock()
    const at: number[] = []
    clock.after(10, () => clock.after(10, () => at.push(clock.now())))
    await clock.advance(100)
    assert.deepEqual(at, [20])
  })

  it('says when the next timer is due', async () => {
    const clock = new VirtualClock(100)
    assert.equal(clock.nextDue, undefined)
    clock.after(30, () => {})
    const cancel = clock.after(10, () => {})
    assert.equal(clock.nextDue, 110)
    cancel()
    assert.equal(clock.nextDue, 130)
    await clock.advance(30)
    assert.equal(clock.nextDue, undefined)
  })

  it('waits for what it was told to wait for between two timers', async () => {
    const order: string[] = []
    const clock = new VirtualClock(0, async () => void order.push('settled'))
    clock.after(1, () => order.push('first'))
    clock.after(1, () => order.push('second'))
    await clock.advance(1)
    assert.deepEqual(order, ['first', 'settled', 'second', 'settled', 'settled'])
  })

  it('fires and forgets exactly as a sorted list of timers does, whatever is added and cancelled when', async () => {
    const step = fc.record({ ms: fc.nat(20), cancels: fc.option(fc.nat(), { nil: undefined }), wait: fc.nat(6) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new VirtualClock(0, async () => {})
        const fired: number[] = []
        const cancel: (() => void)[] = []
        let expected: { due: number; id: number }[] = []
        const seen: number[] = []
        for (const [id, { ms, cancels, wait }] of steps.entries()) {
          cancel.push(clock.after(ms, () => fired.push(id)))
          expected.push({ due: clock.now() + ms, id })
          if (cancels !== undefined) {
            const victim = cancels % cancel.length
            cancel[victim]?.()
            expected = expected.filter((timer) => timer.id !== victim)
          }
          await clock.advance(wait)
          expected.sort((a, b) => a.due - b.due || a.id - b.id)
          while (expected[0] !== undefined && expected[0].due <= clock.now())
            seen.push((expected.shift() as { id: number }).id)
          assert.equal(clock.nextDue, expected[0]?.due)
        }
        await clock.advance(100)
        assert.deepEqual(fired, [...seen, ...expected.map(({ id }) => id)])
      }),
    )
  })
})

it('a clock that is set lets no time pass', async () => {
  const clock = new VirtualClock(1_000)
  const fired: number[] = []
  clock.after(100, () => fired.push(clock.now()))
  clock.jump(50_000)
  assert.deepEqual([clock.now(), clock.monotonic(), clock.nextDue], [51_000, 0, 51_100])
  await clock.advance(99)
  assert.deepEqual(fired, [])
  clock.jump(-50_000)
  await clock.advance(1)
  assert.deepEqual([fired, clock.monotonic()], [[1_100], 100])
})
