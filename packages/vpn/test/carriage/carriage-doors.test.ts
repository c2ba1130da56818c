import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { CarriageDoors } from '../../src/carriage/carriage-doors.ts'
import {
  CONNECTION_RATE,
  MAX_CONNECTIONS,
  NETWORK_CONNECTIONS,
  NETWORK_RATE,
  PENDING_CONNECTIONS,
  PREFIX_CONNECTIONS,
  PREFIX_RATE,
} from '../../src/carriage/carriage-limits.ts'

function caller(): { gone: boolean; destroy(): void } {
  const made = { gone: false, destroy: () => void (made.gone = true) }
  return made
}

test('an address gets so many connections a second, and so many in all; a /64 counts as one', async () => {
  const clock = new VirtualClock()
  const doors = new CarriageDoors(clock)
  const enter = (address: string) => doors.enter(caller(), address)
  for (let i = 0; i < PREFIX_RATE; i++) assert.ok(enter(`2001:db8::${i + 1}`))
  assert.equal(enter('2001:db8::ffff'), undefined)
  assert.ok(enter('192.0.2.1'))
  let open = PREFIX_RATE
  while (open < PREFIX_CONNECTIONS) {
    await clock.advance(1_000)
    for (let i = 0; i < PREFIX_RATE; i++, open++) assert.ok(enter('2001:db8::1'))
  }
  await clock.advance(1_000)
  assert.equal(enter('2001:db8::1'), undefined)
})

test('all addresses together get so many a second', async () => {
  const clock = new VirtualClock()
  const doors = new CarriageDoors(clock)
  for (let i = 0; i < CONNECTION_RATE; i++) assert.ok(doors.enter(caller(), `10.0.${i >> 4}.1`))
  assert.equal(doors.enter(caller(), '10.1.0.1'), undefined)
  await clock.advance(1_000)
  assert.ok(doors.enter(caller(), '10.1.0.1'))
})

test('who comes and goes in turn gets no more a second than who stays', async () => {
  const clock = new VirtualClock()
  const doors = new CarriageDoors(clock)
  const visit = (): boolean => {
    const leave = doors.enter(caller(), '192.0.2.1')
    leave?.()
    return leave !== undefined
  }
  for (let i = 0; i < PREFIX_RATE; i++) assert.ok(visit())
  for (let i = 0; i < CONNECTION_RATE; i++) assert.equal(visit(), false)
  assert.ok(doors.enter(caller(), '198.51.100.1'), 'others are let in still')
  await clock.advance(1_000)
  assert.ok(visit())
})

const networks: readonly [string, (i: number) => string, string][] = [
  ['/48 of IPv6', (i) => `2001:db8:1:${i.toString(16)}::1`, '2001:db8:2::1'],
  ['/24 of IPv4', (i) => `192.0.2.${i % 256}`, '192.0.3.1'],
]
for (const [name, address, other] of networks) {
  test(`a ${name} keeps nobody else out, with new connections or open ones`, async () => {
    const clock = new VirtualClock()
    const doors = new CarriageDoors(clock)
    for (let open = 0; open < NETWORK_CONNECTIONS; await clock.advance(1_000)) {
      for (let i = 0; i < NETWORK_RATE && open < NETWORK_CONNECTIONS; i++)
        assert.ok(doors.enter(caller(), address(open++)))
      assert.equal(doors.enter(caller(), address(open)), undefined)
      assert.ok(doors.enter(caller(), other))
    }
    assert.equal(doors.enter(caller(), address(0)), undefined)
    assert.ok(doors.enter(caller(), other))
  })
}

test('of those that say nothing the oldest gives way, and all together are bounded', () => {
  const doors = new CarriageDoors(new VirtualClock())
  const callers = Array.from({ length: MAX_CONNECTIONS + 1 }, caller)
  const passed = callers[0]!
  const leave = doors.enter(passed, '127.0.0.1')
  doors.passed(passed)
  for (const each of callers.slice(1, MAX_CONNECTIONS)) assert.ok(doors.enter(each, '127.0.0.1'))
  const last = callers[MAX_CONNECTIONS]!
  assert.equal(doors.enter(last, '127.0.0.1'), undefined)
  assert.equal(passed.gone, false)
  assert.equal(callers.filter(({ gone }) => gone).length, MAX_CONNECTIONS - 1 - PENDING_CONNECTIONS)
  leave?.()
  assert.ok(doors.enter(last, '127.0.0.1'))
})
