import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { DialTurns } from '../../src/engine/dial-turns.ts'

const BURST = 512
const PER_SECOND = 256
const WAITING = 64
const EXIT_BURST = 1_024
const EXIT_PER_SECOND = 1_024

function make() {
  const clock = new VirtualClock()
  const turns = new DialTurns(clock)
  const session = () => {
    const counts = { gone: 0, refused: 0 }
    const key = {}
    const take = (): (() => void) =>
      turns.take(
        key,
        () => void counts.gone++,
        () => void counts.refused++,
      )
    const takeMany = (count: number): (() => void)[] => Array.from({ length: count }, take)
    return { counts, take, takeMany }
  }
  return { clock, turns, session }
}

test('a session has a burst at once, then its rate; what waits too long, or behind too many, is refused', async () => {
  const { clock, session } = make()
  const { counts, takeMany } = session()
  takeMany(BURST + WAITING + 10)
  assert.deepEqual(counts, { gone: BURST, refused: 10 })
  await clock.advance(125)
  assert.ok(Math.abs(counts.gone - BURST - PER_SECOND / 8) <= 8, `${counts.gone}`)
  assert.equal(counts.refused, 10)
  await clock.advance(1_000)
  assert.deepEqual(counts, { gone: BURST + WAITING, refused: 10 })
})

test('what was given up takes no turn', async () => {
  const { clock, session } = make()
  const { counts, takeMany } = session()
  for (const leave of takeMany(BURST + WAITING)) leave()
  takeMany(10)
  await clock.advance(500)
  assert.deepEqual(counts, { gone: BURST + 10, refused: 0 })
})

test('sessions that ask for more than the exit does have turns: one that asks for little goes first', async () => {
  const { clock, session } = make()
  const greedy = Array.from({ length: 40 }, session)
  const work = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      for (const { takeMany } of greedy) takeMany(5)
      await clock.advance(10)
    }
  }
  await work(3_000)
  const gone = (): number => greedy.reduce((sum, { counts }) => sum + counts.gone, 0)
  assert.ok(gone() <= EXIT_BURST + 3 * EXIT_PER_SECOND, `${gone()}`)
  const honest = session()
  for (let round = 0; round < 10; round++) {
    honest.takeMany(1)
    await work(100)
  }
  assert.deepEqual(honest.counts, { gone: 10, refused: 0 })
})

test('nothing waits behind close', async () => {
  const { clock, turns, session } = make()
  const { counts, takeMany } = session()
  takeMany(BURST + 10)
  turns.close()
  await clock.advance(5_000)
  assert.deepEqual(counts, { gone: BURST, refused: 0 })
})
