import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { VirtualClock, WeftError, isWeftError } from '@weft/core'
import { BridgeDialer } from '../src/bridge-dialer.ts'
import type { Bridge } from '../src/bridge-line.ts'
import { RETRY_FIRST_MS, RETRY_MOST_MS } from '../src/limits.ts'

const TARGET = { host: '192.0.2.9', port: 4780 }
const NEVER = new AbortController().signal
const bridge = (last: number): Bridge => ({
  endpoint: { host: `198.51.100.${last}`, port: 443 },
  pin: new Uint8Array(32),
  id: new Uint8Array(8),
  secret: new Uint8Array(32),
  serverName: '',
})
const fault = (code: string): WeftError => new WeftError({ code, cause: `${code} at 198.51.100.1.`, fix: 'Wait.' })
const failsWith = (code: string) => (error: unknown) => isWeftError(error, code)

/** Bridges whose answers a test decides; `calls` are the last numbers of the addresses that were called. */
function dialerOf(count: number, answer: (last: number) => WeftError | undefined) {
  const clock = new VirtualClock()
  const calls: number[] = []
  const changes: string[][] = []
  const dialer = new BridgeDialer({
    bridges: Array.from({ length: count }, (_, at) => bridge(at + 1)),
    clock,
    onChange: (states) => changes.push(states.map(({ state }) => state)),
    open: async ({ endpoint }) => {
      const last = Number(endpoint.host.split('.')[3])
      calls.push(last)
      const error = answer(last)
      if (error !== undefined) throw error
      return new PassThrough()
    },
  })
  return { clock, calls, changes, dialer }
}

describe('the bridges of a client', () => {
  test('are tried in their order, and the one that works is kept', async () => {
    const { dialer, calls, changes } = dialerOf(3, (last) => (last === 1 ? fault('E_BRIDGE_UNREACHABLE') : undefined))
    await dialer.open(TARGET, NEVER)
    await dialer.open(TARGET, NEVER)
    assert.deepEqual(calls, [1, 2, 2])
    assert.deepEqual(
      dialer.status().map(({ name, state }) => [name, state]),
      [
        ['198.51.100.1:443', 'failed'],
        ['198.51.100.2:443', 'used'],
        ['198.51.100.3:443', 'ready'],
      ],
    )
    assert.deepEqual(changes.at(-1), ['failed', 'used', 'ready'])
    assert.equal(dialer.fault, undefined)
  })

  test('are left alone for longer each time that they fail', async () => {
    const { dialer, clock, calls } = dialerOf(1, () => fault('E_BRIDGE_PIN'))
    for (let waits = RETRY_FIRST_MS; waits < 2 * RETRY_MOST_MS; waits *= 2) {
      await assert.rejects(dialer.open(TARGET, NEVER), failsWith('E_BRIDGE_NONE'))
      const before = calls.length
      await assert.rejects(dialer.open(TARGET, NEVER), failsWith('E_BRIDGE_NONE'))
      assert.equal(calls.length, before)
      await clock.advance(Math.min(waits, RETRY_MOST_MS))
    }
  })

  test('fail once for many calls at a time', async () => {
    const { dialer, clock, calls } = dialerOf(1, () => fault('E_BRIDGE_UNREACHABLE'))
    await Promise.allSettled(Array.from({ length: 20 }, () => dialer.open(TARGET, NEVER)))
    await clock.advance(RETRY_FIRST_MS)
    await assert.rejects(dialer.open(TARGET, NEVER))
    assert.equal(calls.length, 21)
  })

  test('are not to blame for a member that none of them reaches', async () => {
    const { dialer, calls } = dialerOf(2, () => fault('E_BRIDGE_MEMBER'))
    await assert.rejects(dialer.open(TARGET, NEVER), failsWith('E_BRIDGE_MEMBER'))
    assert.deepEqual(calls, [1, 2])
    assert.deepEqual(
      dialer.status().map(({ state }) => state),
      ['ready', 'ready'],
    )
  })

  test('may know different members, have room or not, and say that nobody is reached', async () => {
    for (const code of ['E_BRIDGE_TARGET', 'E_BRIDGE_BUSY', 'E_BRIDGE_MEMBER']) {
      const { dialer, calls } = dialerOf(2, (last) => (last === 1 ? fault(code) : undefined))
      await dialer.open(TARGET, NEVER)
      assert.deepEqual(calls, [1, 2])
      const none = dialerOf(2, () => fault(code))
      await assert.rejects(none.dialer.open(TARGET, NEVER), failsWith(code))
    }
  })

  test('are said to fail in words that do not tell where they are', async () => {
    const { dialer } = dialerOf(2, (last) => fault(last === 1 ? 'E_BRIDGE_REFUSED' : 'E_BRIDGE_UNREACHABLE'))
    await assert.rejects(dialer.open(TARGET, NEVER), (error) => {
      assert.ok(isWeftError(error, 'E_BRIDGE_NONE'))
      assert.match(error.cause, /E_BRIDGE_REFUSED, E_BRIDGE_UNREACHABLE/)
      assert.ok(!error.message.includes('198.51.100'))
      return true
    })
    assert.deepEqual(Object.keys(dialer.fault ?? {}), ['code', 'cause', 'fix'])
    assert.match(dialer.status()[0]?.fault?.cause ?? '', /198\.51\.100\.1/)
  })

  test('have failed for nobody who only gave up waiting', async () => {
    const waiting = new AbortController()
    const clock = new VirtualClock()
    const dialer = new BridgeDialer({
      bridges: [bridge(1)],
      clock,
      open: () => new Promise(() => {}),
    })
    const asked = dialer.open(TARGET, waiting.signal)
    waiting.abort()
    await assert.rejects(asked, failsWith('E_ABORTED'))
    assert.equal(dialer.status()[0]?.state, 'ready')
  })

  test('that say nothing are left for the next', async () => {
    const clock = new VirtualClock()
    const silent = Promise.withResolvers<void>()
    const dialer = new BridgeDialer({
      bridges: [bridge(1), bridge(2)],
      clock,
      open: ({ endpoint }) => {
        if (endpoint.host.endsWith('.2')) return Promise.resolve(new PassThrough())
        silent.resolve()
        return new Promise(() => {})
      },
    })
    const asked = dialer.open(TARGET, NEVER)
    await silent.promise
    await clock.advance(60_000)
    await asked
    assert.deepEqual(
      dialer.status().map(({ state }) => state),
      ['ready', 'used'],
    )
    assert.equal(dialer.status()[0]?.fault?.code, 'E_BRIDGE_UNREACHABLE')
  })
})
