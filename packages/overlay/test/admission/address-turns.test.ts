import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AddressTurns } from '../../src/admission/address-turns.ts'
import { codeOf } from '../fixtures.ts'

const LIMITS = { atOnce: 2, waiting: 4, atOncePerAddress: 1, waitingPerAddress: 2 }
const LOOPBACK = '/ip4/127.0.0.1/tcp/1'

/** Turns with tasks that end when the test says so. */
function setUp(limits = LIMITS) {
  const turns = new AddressTurns(limits)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const start = (name: string, address: string, signal?: AbortSignal): Promise<string> | undefined => {
    if (!turns.hasRoom(address)) return undefined
    return codeOf(() =>
      turns.use(
        address,
        () => {
          begun.push(name)
          return new Promise<void>((resolve) => ends.set(name, resolve))
        },
        signal,
      ),
    )
  }
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    ends.delete(name)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { begun, start, end, running: () => [...ends.keys()] }
}

test('one address has one at once and two waiting; the others do not wait for it', async () => {
  const { begun, start } = setUp()
  for (const name of ['a1', 'a2', 'a3']) assert.ok(start(name, '/ip4/192.0.2.1/tcp/1'))
  assert.equal(start('a4', '/ip4/192.0.2.1/tcp/9'), undefined)
  assert.ok(start('b1', '/ip4/192.0.2.2/tcp/1'))
  assert.deepEqual(begun, ['a1', 'b1'])
})

test('who waits is taken address by address, not in the order in which they came', async () => {
  const { begun, start, end } = setUp({ ...LIMITS, atOnce: 1, waiting: 8 })
  for (const name of ['a1', 'a2', 'a3']) void start(name, '/ip4/192.0.2.1/tcp/1')
  for (const name of ['b1', 'b2']) void start(name, '/ip4/192.0.2.2/tcp/1')
  void start('c1', '/ip6/2001:db8::1/tcp/1')
  for (const name of ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']) await end(name)
  assert.deepEqual(begun, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})

test('loopback has only the limits of all', () => {
  const { begun, start } = setUp()
  const taken = Array.from({ length: 8 }, (_, index) => start(String(index), LOOPBACK) !== undefined)
  assert.deepEqual(taken, [true, true, true, true, true, true, false, false])
  assert.deepEqual(begun, ['0', '1'])
})

test('who gives up waiting leaves its place to others', async () => {
  const { begun, start, end } = setUp({ ...LIMITS, atOnce: 1 })
  const gone = new AbortController()
  void start('a1', '/ip4/192.0.2.1/tcp/1')
  const waiting = start('b1', '/ip4/192.0.2.2/tcp/1', gone.signal)
  void start('c1', '/ip4/192.0.2.3/tcp/1')
  gone.abort()
  assert.equal(await waiting, 'E_ABORTED')
  await end('a1')
  assert.deepEqual(begun, ['a1', 'c1'])
})

test('no limit is ever passed, nobody is forgotten, and all is given back', async () => {
  const step = fc.record({ host: fc.integer({ min: 1, max: 4 }), ends: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { begun, start, end, running } = setUp()
      let taken = 0
      for (const [index, { host, ends }] of steps.entries()) {
        if (start(`${host} ${index}`, `/ip4/192.0.2.${host}/tcp/1`) !== undefined) taken++
        const hosts = running().map((name) => name.split(' ')[0])
        assert.ok(hosts.length <= LIMITS.atOnce && new Set(hosts).size === hosts.length)
        if (ends && running()[0] !== undefined) await end(running()[0] as string)
      }
      for (let name = running()[0]; name !== undefined; name = running()[0]) await end(name)
      assert.equal(begun.length, taken)
      const again = ['1', '2'].map((host) => start(host, `/ip4/192.0.2.${host}/tcp/1`))
      assert.ok(again.every((task) => task !== undefined) && running().length === 2)
    }),
    { numRuns: 50 },
  )
})
