import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomInt, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import fc from 'fast-check'
import { beaconRandom } from '../../src/committee/beacon-random.ts'

const beacon = (number: number): Uint8Array => sha256(utf8(`beacon ${number}`))

describe('drawing from a beacon', () => {
  it('is MGF1 with SHA-256 over the beacon and the use', () => {
    const seed = Uint8Array.of(...utf8('weft:beacon-random:v1\0'), ...beacon(1), ...utf8('rotation'))
    const block = (counter: number) => sha256(seed, Uint8Array.of(0, 0, 0, counter))
    const expected = Uint8Array.of(...block(0), ...block(1), ...block(2))
    assert.deepEqual(beaconRandom(beacon(1), 'rotation').bytes(96), expected)
  })

  it('gives the same stream in pieces of any length', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 100 }), { maxLength: 20 }), (lengths) => {
        const [whole, pieces] = [beaconRandom(beacon(3), 'use'), beaconRandom(beacon(3), 'use')]
        const total = lengths.reduce((sum, length) => sum + length, 0)
        assert.deepEqual(Uint8Array.from(lengths.flatMap((length) => [...pieces.bytes(length)])), whole.bytes(total))
      }),
    )
  })

  it('differs by use and beacon', () => {
    const first = beaconRandom(beacon(1), 'rotation').bytes(32)
    assert.notDeepEqual(beaconRandom(beacon(1), 'other').bytes(32), first)
    assert.notDeepEqual(beaconRandom(beacon(2), 'rotation').bytes(32), first)
    assert.equal(randomInt(beaconRandom(beacon(1), 'rotation'), 1), 0)
  })
})
