import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { PACKET_SIZE } from '@weft/onion'
import { LoadMeter, type LoadSigns, SAMPLE_MS } from '../../src/load/load-meter.ts'

const NOTHING: LoadSigns = { cells: [], handshakes: 0, places: 0, waiting: 0, dropped: 0 }
/** So many circuits that none of them is held back. */
const many = (cells: number): number[] => Array.from({ length: 100 }, () => cells / 100)

async function useOf(signs: Partial<LoadSigns>, atWork = 0, bytesPerSecond?: number): Promise<number> {
  const clock = new VirtualClock()
  const uses: number[] = []
  const meter = new LoadMeter({
    clock,
    signs: () => ({ ...NOTHING, ...signs }),
    atWork: () => atWork,
    bytesPerSecond,
    onUse: (use) => uses.push(use),
  })
  await clock.advance(SAMPLE_MS)
  meter.close()
  await clock.advance(5 * SAMPLE_MS)
  assert.equal(uses.length, 1, 'closed, it looks no more')
  return Math.round((uses[0] as number) * 1_000) / 1_000
}

test('the most of what is used counts: time, the limit of the operator, what waits, what was dropped, places', async () => {
  assert.equal(await useOf({}), 0)
  assert.equal(await useOf({ cells: many(100) }, 0.4), 0.4)
  assert.equal(await useOf({ cells: many(700) }, 0.1, 1_000 * PACKET_SIZE), 0.7)
  assert.equal(await useOf({ cells: many(2_000) }, 0.1, 1_000 * PACKET_SIZE), 1, 'never above 1')
  assert.equal(await useOf({ cells: many(10_000), waiting: 125 }), 0.5, '12.5 ms of cells')
  assert.equal(await useOf({ cells: many(9_900), dropped: 100 }), 0.2, 'one of a hundred')
  assert.equal(await useOf({ cells: many(100), places: 0.9 }, 0.4), 0.9)
  assert.equal(await useOf({ waiting: 3 }), 1, 'cells that wait and none that go')
})

test('drops of before count no more, and one circuit is held to its part', async () => {
  const clock = new VirtualClock()
  const uses: number[] = []
  const signs = { ...NOTHING, cells: [10_000], dropped: 5_000 }
  const meter = new LoadMeter({
    clock,
    signs: () => signs,
    atWork: () => 0,
    bytesPerSecond: undefined,
    onUse: (use) => uses.push(use),
  })
  await clock.advance(2 * SAMPLE_MS)
  meter.close()
  assert.deepEqual(uses, [1 / 12, 0])
})
