import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { fromHex, seededRandom, toHex } from '@weft/core'
import { HALF_SIZE, HalfReader, HalfWriter } from '../../src/packet/packet-halves.ts'

const packet = (number: number): Uint8Array => new Uint8Array(1440).map((_, at) => (number * 31 + at) & 255)

function halves(count: number, seed = 1): Uint8Array[] {
  const writer = new HalfWriter(seededRandom(seed))
  return Array.from({ length: count }, (_, number) => {
    const both = new Uint8Array(2 * HALF_SIZE)
    writer.write(packet(number), both, 0)
    return [both.slice(0, HALF_SIZE), both.slice(HALF_SIZE)]
  }).flat()
}

const from = {}

describe('packets in halves', () => {
  it('are those of the vector, and of docs/specs/packets.md', () => {
    const text = readFileSync(new URL('../vectors/halves.json', import.meta.url), 'utf8')
    const vector = JSON.parse(text) as { readonly random: string; readonly packet: string; readonly halves: string[] }
    const random = fromHex(vector.random)
    const both = new Uint8Array(2 * HALF_SIZE)
    const writer = new HalfWriter({ bytes: (length) => Uint8Array.from({ length }, (_, at) => random[at % 12]!) })
    writer.write(fromHex(vector.packet), both, 0)
    assert.equal(toHex(both), vector.halves.join(''))
    // The last bit of the random bytes is set, and stands for nothing.
    assert.deepEqual(vector.halves, [
      `${vector.random.slice(0, 22)}d4${vector.packet.slice(0, 1440)}`,
      `${vector.random.slice(0, 22)}d5${vector.packet.slice(1440)}`,
    ])
    const into = new Uint8Array(1440)
    const reader = new HalfReader()
    assert.equal(reader.read(fromHex(vector.halves[1]!), 0, from, into), false)
    assert.ok(reader.read(fromHex(vector.halves[0]!), 0, from, into))
    assert.equal(toHex(into), vector.packet)
  })

  it('have the sizes of docs/specs/packets.md, and heads that differ in one bit', () => {
    const [a, b] = halves(1) as [Uint8Array, Uint8Array]
    assert.equal(HALF_SIZE, 732)
    assert.deepEqual(a.subarray(0, 11), b.subarray(0, 11))
    assert.equal((a[11] as number) & 1, 0)
    assert.equal((b[11] as number) & 1, 1)
    assert.equal((a[11] as number) >> 1, (b[11] as number) >> 1)
    assert.deepEqual(a.subarray(12), packet(0).subarray(0, 720))
    assert.deepEqual(b.subarray(12), packet(0).subarray(720))
  })

  it('are put together in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(600).keys()], { minLength: 600 }), (order) => {
        const all = halves(300)
        const reader = new HalfReader()
        const got: number[] = []
        const into = new Uint8Array(1440)
        for (const at of order)
          if (reader.read(all[at]!, 0, from, into)) {
            const number = at >> 1
            assert.deepEqual(into, packet(number))
            got.push(number)
          }
        assert.equal(new Set(got).size, 300)
        assert.equal(reader.lost, 0)
      }),
      { numRuns: 20 },
    )
  })

  it('of two senders are not put together, nor doubled ones', () => {
    const [a, b] = halves(1) as [Uint8Array, Uint8Array]
    const reader = new HalfReader()
    const into = new Uint8Array(1440)
    assert.equal(reader.read(a, 0, from, into), false)
    assert.equal(reader.read(a, 0, from, into), false)
    assert.equal(reader.read(b, 0, {}, into), false)
    assert.equal(reader.read(a, 0, from, into), false)
    assert.equal(reader.read(b, 0, from, into), true)
    assert.equal(reader.read(b, 0, from, into), false, 'its other half is gone')
  })

  it('are kept up to a number, the newest', () => {
    const reader = new HalfReader(4)
    const all = halves(6)
    const into = new Uint8Array(1440)
    for (let number = 0; number < 6; number++) reader.read(all[2 * number]!, 0, from, into)
    assert.equal(reader.lost, 2)
    const whole = [5, 4, 3, 2, 1, 0].map((number) => reader.read(all[2 * number + 1]!, 0, from, into))
    assert.deepEqual(whole, [true, true, true, true, false, false])
  })

  it('never read outside of what came, whatever it is', () => {
    const reader = new HalfReader(8)
    const into = new Uint8Array(1440)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: HALF_SIZE, maxLength: HALF_SIZE }), fc.nat(3), (bytes, sender) => {
        reader.read(bytes, 0, [from, into, reader, fc][sender], into)
      }),
      { numRuns: 300 },
    )
  })
})
