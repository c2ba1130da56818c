import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { Absences } from '../../src/absence/absences.ts'
import { BEGIN, advance, testKeys } from '../fixtures.ts'

const [one, other, third] = testKeys(3).map(({ id }) => id) as [DidKey, DidKey, DidKey]

/** A validator that looks for members; those in `silent` never answer. */
class Watch implements AsyncDisposable {
  readonly clock = new VirtualClock(BEGIN)
  readonly silent = new Set<DidKey>()
  readonly certified = new Set<DidKey>([one, other, third])
  readonly looks: DidKey[] = []
  readonly absences: Absences
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  constructor() {
    const ping = async (id: DidKey, signal: AbortSignal): Promise<void> => {
      this.looks.push(id)
      if (!this.silent.has(id)) return
      const { promise, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      await promise
    }
    const isCertified = (id: DidKey): boolean => this.certified.has(id)
    this.absences = new Absences({ ping, isCertified, clock: this.clock, logger: silentLogger })
    this.#running = this.absences.run(this.#stop.signal).catch(() => {})
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) await advance(this.clock, Math.min(500, left))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}

test('who does not answer is doubted, later absent, and neither once it answers', async () => {
  await using watch = new Watch()
  const { absences } = watch
  watch.silent.add(one)
  absences.report([one])
  await watch.pass(4_500)
  assert.equal(absences.isDoubted(one), false, 'the first look is under way')
  await watch.pass(1_500)
  assert.deepEqual([absences.isDoubted(one), absences.isAbsent(one)], [true, false])
  await watch.pass(12_000)
  assert.equal(absences.isAbsent(one), false)
  await watch.pass(10_000)
  assert.equal(absences.isAbsent(one), true)
  watch.silent.clear()
  await watch.pass(10_500)
  assert.deepEqual([absences.isDoubted(one), absences.isAbsent(one)], [false, false])
  const { length } = watch.looks
  await watch.pass(60_000)
  assert.equal(watch.looks.length, length, 'nobody is looked for any more')
})

test('reports of who answers make a validator look once in ten seconds, and of strangers never', async () => {
  await using watch = new Watch()
  watch.certified.delete(third)
  for (let i = 0; i < 60; i++) {
    watch.absences.report([one, other, third])
    await watch.pass(500)
  }
  assert.equal(watch.looks.filter((id) => id === one).length, 3)
  assert.equal(watch.looks.filter((id) => id === third).length, 0)
  assert.equal(watch.absences.isDoubted(one), false)
})

test('who leaves is absent at once, until it wants to be in again or is certified no more', async () => {
  await using watch = new Watch()
  const { absences } = watch
  absences.leave(one)
  absences.leave(other)
  assert.deepEqual([absences.isAbsent(one), absences.isDoubted(one), absences.isAbsent(other)], [true, true, true])
  absences.returned(one)
  assert.equal(absences.isAbsent(one), false)
  watch.certified.delete(other)
  absences.report([one])
  await watch.pass(1_000)
  assert.equal(absences.isAbsent(other), false)
  assert.deepEqual(watch.looks, [one])
})

test('silent members do not keep a validator from looking for one that is reported later', async () => {
  await using watch = new Watch()
  watch.silent.add(one)
  watch.silent.add(third)
  watch.absences.report([one, third])
  await watch.pass(1_000)
  watch.absences.report([other])
  await watch.pass(500)
  assert.ok(watch.looks.includes(other), 'while the looks for the others wait for an answer')
})

test('many that are gone for good do not keep a validator from finding out about one more', async () => {
  const gone = testKeys(403).slice(3)
  await using watch = new Watch()
  for (const { id } of gone) {
    watch.silent.add(id)
    watch.certified.add(id)
  }
  watch.absences.report(gone.map(({ id }) => id))
  await watch.pass(60_000)
  assert.ok(gone.every(({ id }) => watch.absences.isAbsent(id)))
  watch.silent.add(one)
  watch.absences.report([one])
  await watch.pass(26_000)
  assert.ok(watch.absences.isAbsent(one))
  const { length } = watch.looks
  await watch.pass(120_000)
  assert.ok(watch.looks.length - length <= 401 * 4, 'they are looked for ever more rarely')
})

test('who was absent for long and says that it is back is looked for at once, and only then believed', async () => {
  await using watch = new Watch()
  const { absences } = watch
  watch.silent.add(one)
  absences.report([one])
  await watch.pass(300_000)
  const { length } = watch.looks
  for (let times = 0; times < 5; times++) absences.returned(one)
  await watch.pass(500)
  assert.deepEqual([absences.isAbsent(one), watch.looks.length - length], [true, 1], 'it still does not answer')
  await watch.pass(6_000)
  watch.silent.clear()
  absences.returned(one)
  await watch.pass(500)
  assert.deepEqual([absences.isAbsent(one), absences.isDoubted(one)], [false, false])
  absences.report([one])
  const looked = watch.looks.length
  await watch.pass(200_000)
  assert.ok(watch.looks.length - looked <= 1, 'the earlier watch has ended')
})

test('what is reported before the looking begins is looked for then', async () => {
  const clock = new VirtualClock(BEGIN)
  const looks: DidKey[] = []
  const ping = async (id: DidKey): Promise<void> => void looks.push(id)
  const absences = new Absences({ ping, isCertified: () => true, clock, logger: silentLogger })
  absences.report([one])
  const stop = new AbortController()
  const running = absences.run(stop.signal).catch(() => {})
  await advance(clock, 100)
  assert.deepEqual(looks, [one])
  stop.abort()
  await running
})
