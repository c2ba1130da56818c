import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, WeftError, silentLogger, wait } from '@weft/core'
import type { LookupResult } from '../../src/lookup/lookup-result.ts'
import { RecordFinder } from '../../src/lookup/record-finder.ts'
import type { MapStatus } from '../../src/member.ts'
import { BEGIN, EPOCH, codeOf, testNetwork } from '../fixtures.ts'

const { network } = testNetwork()
const { signal } = new AbortController()
const KEY = new Uint8Array(32)

function finder(find: (signal: AbortSignal, clock: VirtualClock) => Promise<Partial<LookupResult>>) {
  const clock = new VirtualClock(BEGIN + 10 * EPOCH)
  const state = { code: undefined as string | undefined, epoch: undefined as number | undefined, asked: 0 }
  const made = new RecordFinder({
    lookups: {
      find: async (_, lasting) => {
        state.asked++
        return (await find(lasting, clock)) as LookupResult
      },
    },
    membership: {
      status: () =>
        ({
          epoch: state.epoch,
          fault: state.code === undefined ? undefined : { code: state.code, cause: '', fix: '' },
        }) as MapStatus,
    },
    network,
    clock,
    logger: silentLogger,
  })
  return { clock, state, made }
}

describe('finding the holders of records', () => {
  it('is needed without a map and with an old one, and not for other faults', () => {
    const { state, made } = finder(async () => ({}))
    assert.equal(made.isNeeded(), false)
    for (const [code, needed] of [
      ['E_MAP_NONE', true],
      ['E_MAP_STALE', true],
      ['E_CLOCK_SKEW', false],
    ] as const) {
      state.code = code
      assert.equal(made.isNeeded(), needed)
    }
  })

  it('gives what a newer map says, or any where none is held', async () => {
    const { state, made } = finder(async () => ({ epoch: 9, members: [], count: 5 }))
    assert.equal((await made.find(KEY, 1_000, signal))?.count, 5)
    state.epoch = 8
    assert.equal((await made.find(KEY, 1_000, signal))?.count, 5)
  })

  it('is not tried again in an epoch in which nobody had a newer map', async () => {
    const { state, made, clock } = finder(async () => ({ epoch: 5, members: [], count: 5 }))
    Object.assign(state, { code: 'E_MAP_STALE', epoch: 5 })
    assert.equal(await made.find(KEY, 1_000, signal), undefined)
    assert.equal(made.isNeeded(), false)
    assert.equal(await made.find(KEY, 1_000, signal), undefined)
    assert.equal(state.asked, 1)
    await clock.advance(EPOCH)
    assert.equal(made.isNeeded(), true)
  })

  it('gives nothing when lookups fail or take too long, and ends with its signal', async () => {
    const failing = finder(async () => {
      throw new WeftError({ code: 'E_LOOKUP_FAILED', cause: '', fix: '' })
    })
    assert.equal(await failing.made.find(KEY, 1_000, signal), undefined)
    const slow = finder(async (lasting, clock) => {
      await wait(clock, 10_000, lasting)
      return {}
    })
    const late = slow.made.find(KEY, 1_000, signal)
    await slow.clock.advance(1_000)
    assert.equal(await late, undefined)
    const abort = new AbortController()
    const ended = slow.made.find(KEY, 1_000, abort.signal)
    abort.abort()
    assert.equal(await codeOf(() => ended), 'E_ABORTED')
  })
})
