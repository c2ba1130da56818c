import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BridgeDoors } from '../src/bridge-doors.ts'
import { CONNECTION_RATE, MAX_CONNECTIONS, MAX_STRANGERS, PREFIX_CONNECTIONS, PREFIX_RATE } from '../src/limits.ts'

let nextPort = 1
const caller = (remoteAddress: string) => {
  const made = { remoteAddress, remotePort: nextPort++, destroyed: false, destroy: () => void (made.destroyed = true) }
  return made
}
const address = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`

describe('the doors of a bridge', () => {
  test('let in so many in a second, in all and of one address', () => {
    let now = 0
    const doors = new BridgeDoors({ monotonic: () => now })
    const enter = (from: string): boolean => doors.enter(caller(from)) !== undefined
    for (let count = 0; count < PREFIX_RATE; count++) assert.ok(enter('192.0.2.1'))
    assert.ok(!enter('192.0.2.1'))
    assert.ok(!enter('::ffff:192.0.2.1'))
    for (let count = PREFIX_RATE; count < CONNECTION_RATE; count++) assert.ok(enter(address(count)))
    assert.ok(!enter('192.0.2.2'))
    now = 1_000
    assert.ok(enter('192.0.2.2') && enter('192.0.2.1'))
  })

  test('count a /64 of IPv6 as one, and nobody without an address', () => {
    let now = 0
    const doors = new BridgeDoors({ monotonic: () => (now += 1_000) })
    for (let count = 0; count < PREFIX_CONNECTIONS; count++)
      assert.ok(doors.enter(caller(`2001:db8::${count.toString(16)}:1`)) !== undefined)
    assert.equal(doors.enter(caller('2001:db8::ffff:ffff')), undefined)
    assert.ok(doors.enter(caller('2001:db8:0:1::1')) !== undefined)
    assert.equal(doors.enter(caller('')), undefined)
  })

  test('stay open to others when a few addresses come as fast as they may', () => {
    let now = 0
    const doors = new BridgeDoors({ monotonic: () => now })
    const come = (from: string): boolean => {
      const one = { ...caller(from), destroy: (): void => leave?.() }
      const leave: (() => void) | undefined = doors.enter(one)
      return leave !== undefined
    }
    for (; now < 10_000; now += 1_000) {
      for (let count = 0; count < 300; count++) for (const from of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) come(from)
      const late = caller(`198.51.100.${now / 1_000}`)
      assert.ok(doors.enter(late) !== undefined)
      for (let count = 0; count < 300; count++) come('192.0.2.4')
      assert.ok(!late.destroyed)
    }
  })

  test('close the oldest stranger for a new one, and no client', () => {
    let now = 0
    const doors = new BridgeDoors({ monotonic: () => (now += 1_000) })
    const client = caller('192.0.2.1')
    doors.enter(client)
    doors.passed({ remoteAddress: client.remoteAddress, remotePort: client.remotePort, destroy: () => {} })
    const strangers = Array.from({ length: MAX_STRANGERS + 1 }, (_, at) => caller(address(at)))
    for (const stranger of strangers) assert.ok(doors.enter(stranger) !== undefined)
    assert.ok(!client.destroyed)
    assert.deepEqual(
      strangers.filter(({ destroyed }) => destroyed),
      strangers.slice(0, 1),
    )
  })

  test('have no more places than they have, and get them back', () => {
    let now = 0
    const doors = new BridgeDoors({ monotonic: () => (now += 1_000) })
    const leaves = Array.from({ length: MAX_CONNECTIONS }, (_, at) => {
      const one = caller(address(at))
      const leave = doors.enter(one) ?? assert.fail()
      doors.passed(one)
      return leave
    })
    assert.equal(doors.enter(caller('192.0.2.1')), undefined)
    leaves[0]?.()
    assert.ok(doors.enter(caller('192.0.2.1')) !== undefined)
  })
})
