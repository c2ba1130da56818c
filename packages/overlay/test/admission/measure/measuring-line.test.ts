import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, wait } from '@weft/core'
import { MeasuringLine } from '../../../src/admission/measure/measuring-line.ts'
import { advance, codeOf } from '../../fixtures.ts'

const NEVER = new AbortController().signal

/** A line at which somebody is measured for so long, and the order in which turns ended. */
function lineOf() {
  const clock = new VirtualClock(0)
  const line = new MeasuringLine(clock)
  const ended: string[] = []
  const measure = async (name: string, host: string, ms: number, renewal = false, signal = NEVER): Promise<void> => {
    await line.use({ renewal, address: `/ip4/${host}/tcp/4780` }, () => wait(clock, ms, NEVER), signal)
    ended.push(name)
  }
  return { clock, ended, measure }
}

test('addresses that answer slowly, again and again, keep an honest newcomer waiting for one measurement', async () => {
  const { clock, ended, measure } = lineOf()
  const slow = async (host: string): Promise<never> => {
    for (;;) await measure(host, host, 8_000)
  }
  for (let index = 1; index <= 7; index++) void slow(`198.51.100.${index}`)
  await advance(clock, 60_000)
  const before = ended.length
  void measure('honest', '192.0.2.1', 500)
  await advance(clock, 16_000)
  assert.ok(ended.slice(before, before + 2).includes('honest'))
})

test('a member that renews comes before newcomers that wait', async () => {
  const { clock, ended, measure } = lineOf()
  for (let index = 1; index <= 7; index++) void measure('newcomer', `198.51.100.${index}`, 8_000)
  void measure('member', '192.0.2.1', 500, true)
  await advance(clock, 9_000)
  assert.deepEqual(ended, ['newcomer', 'member'])
})

test('members that renew slowly, again and again, keep no newcomer out', async () => {
  const { clock, ended, measure } = lineOf()
  const slow = async (host: string): Promise<never> => {
    for (;;) await measure(host, host, 8_000, true)
  }
  for (let index = 1; index <= 3; index++) void slow(`198.51.100.${index}`)
  await advance(clock, 60_000)
  const before = ended.length
  void measure('newcomer', '192.0.2.1', 500)
  await advance(clock, 16_000)
  assert.ok(ended.slice(before, before + 2).includes('newcomer'))
})

test('one at a time; who gives up leaves the line, and a measurement that fails frees it', async () => {
  const { clock, ended, measure } = lineOf()
  const gone = new AbortController()
  const [first, second] = [
    measure('first', '192.0.2.1', 1_000),
    codeOf(() => measure('second', '192.0.2.2', 1_000, false, gone.signal)),
  ]
  const third = measure('third', '192.0.2.3', 1_000)
  gone.abort()
  await advance(clock, 1_500)
  assert.deepEqual([ended, await second], [['first'], 'E_ABORTED'])
  await clock.advance(1_000)
  assert.deepEqual(ended, ['first', 'third'])
  await Promise.all([first, third])
  const line = new MeasuringLine(clock)
  const side = { renewal: false, address: '/ip4/192.0.2.1/tcp/4780' }
  const broken = async (): Promise<never> => {
    throw new RangeError('broken')
  }
  await assert.rejects(line.use(side, broken, NEVER), RangeError)
  assert.equal(await line.use(side, async () => 'free', NEVER), 'free')
})
