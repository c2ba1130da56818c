import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, wait } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import { create, SignedMapSchema } from '@weft/wire'
import { chooseHead } from '../../src/lookup/choose-head.ts'
import { gatherHeads } from '../../src/lookup/gather-heads.ts'
import { HeadChecks } from '../../src/lookup/head-checks.ts'
import { LOOKUP_LIMITS } from '../../src/lookup/lookup-limits.ts'
import type { MapBody } from '../../src/map/map-body.ts'
import { NO_BEACON, BEGIN, EPOCH, advance, codeOf, testNetwork } from '../fixtures.ts'
import { ManyEntries, signedMapOf } from '../map/many-entries.ts'

const nodes = Array.from({ length: 8 }, (_, at) => toDidKey(new Uint8Array(32).fill(at + 1)))
const bodyOf = (epoch: number, root = epoch): MapBody => ({
  network: 'test',
  epoch,
  root: new Uint8Array(32).fill(root),
  count: 100,
  signedAt: BEGIN,
  ...NO_BEACON,
})
const told = (...epochs: number[]) => epochs.map((epoch, at) => ({ body: bodyOf(epoch), by: nodes[at] as DidKey }))

describe('the map of a lookup', () => {
  it('is the one that most nodes told, of the newest and the epoch before', () => {
    assert.equal(chooseHead([]), undefined)
    assert.equal(chooseHead(told(7, 7, 7, 8, 8))?.epoch, 7)
    assert.equal(chooseHead(told(7, 7, 8, 8))?.epoch, 8)
    // Colluding nodes that are the first with the new map, or keep it to themselves, do not decide.
    assert.equal(chooseHead(told(7, 7, 7, 7, 7, 8, 8, 8))?.epoch, 7)
    // Nor do those who tell old ones, however many.
    assert.equal(chooseHead(told(2, 2, 2, 2, 2, 2, 2, 8))?.epoch, 8)
  })

  it('is told as often by maps of two epochs that have the same entries', () => {
    const same = [bodyOf(7, 1), bodyOf(8, 1), bodyOf(8, 2)].map((body, at) => ({ body, by: nodes[at] as DidKey }))
    assert.deepEqual(chooseHead(same), bodyOf(8, 1))
  })

  it('is believed when a quorum signed it, and its signatures are looked at once', async () => {
    const { network, keys } = testNetwork()
    const clock = new VirtualClock(BEGIN + 3 * EPOCH)
    const entries = new ManyEntries(network.id, 5).entries()
    const map = signedMapOf(network, keys.slice(0, network.quorum), entries, 3)
    const few = signedMapOf(network, keys.slice(0, network.quorum - 1), entries, 3)
    const checks = new HeadChecks(network, clock)
    assert.equal(await codeOf(() => checks.verify(few)), 'E_MAP_QUORUM')
    assert.equal(checks.verify(map).epoch, 3)
    // The same body is as good with whatever signatures.
    assert.equal(checks.verify(create(SignedMapSchema, { body: map.body, signatures: [] })).epoch, 3)
    const later = signedMapOf(network, keys.slice(0, network.quorum), entries, 30)
    assert.equal(await codeOf(() => checks.verify(later)), 'E_MAP_FUTURE')
  })
})

describe('gathering heads', () => {
  const { signal } = new AbortController()
  const gather = async (answerMs: (at: number) => number | undefined): Promise<{ told: number; ms: number }> => {
    const clock = new VirtualClock()
    const ask = async (node: DidKey, lasting: AbortSignal): Promise<MapBody> => {
      const ms = answerMs(nodes.indexOf(node))
      await wait(clock, Math.abs(ms ?? 1e6), lasting)
      if (ms !== undefined && ms < 0) throw new TypeError('no map')
      return bodyOf(1)
    }
    const state = { endedAt: -1 }
    const gathering = gatherHeads({ nodes, ask, clock, limits: LOOKUP_LIMITS }, signal).finally(() => {
      state.endedAt = clock.monotonic()
    })
    await advance(clock, 0)
    while (state.endedAt < 0) await clock.advance(10)
    return { told: (await gathering).length, ms: state.endedAt }
  }

  it('ends when all have answered, one way or the other', async () => {
    assert.deepEqual(await gather((at) => (at % 2 === 0 ? 20 : -30)), { told: 4, ms: 30 })
  })

  it('waits for slow ones as long as for one, and not for more when it has any', async () => {
    assert.deepEqual(await gather((at) => (at === 0 ? 20 : undefined)), { told: 1, ms: LOOKUP_LIMITS.patienceMs })
    assert.deepEqual(await gather((at) => (at === 0 ? 900 : undefined)), { told: 1, ms: 900 })
    assert.deepEqual(await gather(() => undefined), { told: 0, ms: LOOKUP_LIMITS.deadlineMs })
  })

  it('stops with its signal', async () => {
    const abort = new AbortController()
    const clock = new VirtualClock()
    const ask = (_: DidKey, lasting: AbortSignal): Promise<MapBody> => wait(clock, 1e6, lasting).then(() => bodyOf(1))
    const gathering = gatherHeads({ nodes, ask, clock, limits: LOOKUP_LIMITS }, abort.signal)
    abort.abort()
    assert.equal(await codeOf(() => gathering), 'E_ABORTED')
    await clock.advance(0)
    assert.equal(clock.nextDue, undefined)
  })
})
