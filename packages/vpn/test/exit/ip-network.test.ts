import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { addressReach } from '@weft/core'
import { ipFromBytes } from '@weft/onion'
import { IpNetwork } from '../../src/exit/ip-network.ts'

test('all addresses are private, different, and the same for the same node', () => {
  for (let i = 0; i < 50; i++) {
    const key = randomBytes(32)
    const network = IpNetwork.of(key, [], true)
    const seen = new Set<string>()
    for (const number of [1, network.first, 255, 256, 700, network.end - 1]) {
      const [four, six] = [ipFromBytes(network.address4(number)), ipFromBytes(network.address6(number))]
      assert.deepEqual([addressReach(four), addressReach(six)], ['private', 'private'])
      seen.add(four).add(six)
      assert.equal(four, ipFromBytes(IpNetwork.of(key, [], true).address4(number)))
      const [, , high = 0, low = 0] = network.address4(number)
      assert.equal(((high << 8) | low) & network.mask, number)
    }
    assert.equal(seen.size, 12)
    assert.match(network.cidr4, /^100\.\d+\.\d+\.0\/22$/)
    assert.match(network.cidr6, /^fd.*\/118$/)
  }
})

test('a network that this machine has an address in is left to it', () => {
  const key = new Uint8Array(32)
  const first = IpNetwork.of(key, [], false)
  const taken = ipFromBytes(first.address4(700))
  const other = IpNetwork.of(key, ['192.0.2.1', taken, '::1'], false)
  assert.notEqual(other.cidr4, first.cidr4)
})

test('an address of the network has its number, others have none', () => {
  const network = IpNetwork.of(new Uint8Array(32).fill(7), [], true)
  for (const number of [2, 255, 256, 1_022])
    for (const address of [network.address4(number), network.address6(number)]) {
      const bytes = Uint8Array.of(9, ...address)
      assert.equal(network.numberAt(bytes, 1, address.length), number)
    }
  const other = network.address4(2)
  other[2] = (other[2] as number) ^ 4
  assert.equal(network.numberAt(other, 0, 4), -1)
  const far = network.address6(2)
  far[11] = 1
  assert.equal(network.numberAt(far, 0, 16), -1)
})
