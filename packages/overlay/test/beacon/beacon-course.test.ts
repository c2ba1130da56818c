import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import fc from 'fast-check'
import { toleratedFaults } from '../../src/network/quorum.ts'
import { CourseNetwork, type Misdeed } from './course-network.ts'

const MISDEEDS: readonly Misdeed[] = [
  'keeps its dealing',
  'deals twice',
  'keeps its share',
  'sends a wrong share',
  'passes over',
  'makes up',
]

describe('beacons beside maps', () => {
  for (const validators of [1, 2, 4]) {
    it(`each map carries the beacon of the epoch before, with ${validators} validators`, async () => {
      const network = new CourseNetwork(validators, validators)
      for (let epoch = 0; epoch < 5; epoch++) assert.ok((await network.run()) !== undefined)
      const beacons = network.maps.map(({ beacon }) => beacon && [beacon.epoch, beacon.previous])
      // The first map lists the keys, with the second inputs are agreed on.
      assert.deepEqual(beacons, [undefined, undefined, [1, -1], [2, 1], [3, 2]])
      const values = network.maps.flatMap(({ beacon }) => beacon?.value.toHex() ?? [])
      assert.equal(new Set(values).size, 3)
      assert.deepEqual(network.refusals, [])
    })
  }

  it('whoever lies, with all that may, costs no map and no beacon of another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(4, 5, 7), async (seed, validators) => {
        const random = seededRandom(seed)
        const network = new CourseNetwork(validators, seed)
        for (let epoch = 0; epoch < 6; epoch++) {
          network.misdeeds.clear()
          const hostile = epoch === 0 ? 0 : toleratedFaults(validators)
          for (let at = 0; at < hostile; at++) {
            const misdeed = MISDEEDS[randomInt(random, MISDEEDS.length)] as Misdeed
            network.misdeeds.set(randomInt(random, validators), misdeed)
          }
          const map = await network.run()
          assert.ok(map !== undefined, `epoch ${epoch} has a map`)
          const before = network.maps.at(-2)
          if (before?.inputs === undefined) continue
          assert.equal(map.beacon?.epoch, before.epoch, 'what was agreed on is made, and carried by the next map')
          assert.equal(map.beacon.previous, before.beacon?.epoch ?? -1)
        }
      }),
      { numRuns: 6 },
    )
  })

  it('a value that all have is not passed over, and one that is made up is not taken', async () => {
    for (const misdeed of ['passes over', 'makes up'] as const) {
      const network = new CourseNetwork(4, 1)
      for (let epoch = 0; epoch < 3; epoch++) await network.run()
      network.misdeeds.set(3, misdeed)
      const map = await network.run()
      assert.deepEqual(network.refusals, ['3 3'])
      assert.equal(map?.proposer, 0)
      assert.equal(map.beacon?.epoch, 2)
    }
  })

  it('one that is down, the proposer among them, costs its turn; one that comes back takes part', async () => {
    const network = new CourseNetwork(4, 5)
    for (let epoch = 0; epoch < 3; epoch++) await network.run()
    network.down.add(3)
    for (let epoch = 3; epoch < 6; epoch++) assert.equal((await network.run())?.beacon?.epoch, epoch - 1)
    network.down.delete(3)
    network.restart(3)
    for (let epoch = 6; epoch < 9; epoch++) assert.equal((await network.run())?.beacon?.epoch, epoch - 1)
    assert.deepEqual(network.refusals, [])
  })

  it('restarts between epochs, of all at once, cost at most the beacon of one', async () => {
    const network = new CourseNetwork(4, 6)
    for (let epoch = 0; epoch < 3; epoch++) await network.run()
    for (let at = 0; at < 4; at++) network.restart(at)
    assert.equal((await network.run())?.beacon?.epoch, 2, 'what each had made is on its disk')
    assert.equal((await network.run())?.beacon?.epoch, 2, 'dealings were still on their way')
    for (let epoch = 5; epoch < 8; epoch++) assert.equal((await network.run())?.beacon?.epoch, epoch - 1)
  })

  it('a restart between the agreement and the shares takes nothing away', async () => {
    const network = new CourseNetwork(4, 8)
    for (let epoch = 0; epoch < 3; epoch++) await network.run()
    await network.run(() => network.restart(2))
    for (let epoch = 4; epoch < 7; epoch++) assert.equal((await network.run())?.beacon?.epoch, epoch - 1)
    assert.deepEqual(network.refusals, [])
  })

  it('of two that restart then, too many to have a value at the next map, only that one map is late', async () => {
    const network = new CourseNetwork(4, 9)
    for (let epoch = 0; epoch < 3; epoch++) await network.run()
    await network.run(() => [1, 2].forEach((at) => network.restart(at)))
    const late = await network.run()
    assert.ok(late === undefined || late.beacon?.epoch === 2)
    await network.run()
    assert.ok((await network.run()) !== undefined)
    assert.ok((await network.run())?.beacon?.epoch)
  })

  it('with too few that deal there is a map without a beacon', async () => {
    const network = new CourseNetwork(4, 7)
    await network.run()
    network.misdeeds.set(0, 'keeps its dealing').set(1, 'keeps its dealing')
    await network.run()
    const map = await network.run()
    assert.ok(map !== undefined)
    assert.equal(map.inputs, undefined)
    network.misdeeds.clear()
    await network.run()
    await network.run()
    assert.equal((await network.run())?.beacon?.epoch, 4)
  })
})
