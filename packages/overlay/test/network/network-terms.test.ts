import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Term } from '../../src/terms/term.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { testNetwork } from '../fixtures.ts'

const { network: given, keys } = testNetwork(4, 8)
const seats = (from: number, to: number) =>
  keys.slice(from, to).map(({ id }) => ({ id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: 'f' }))

/** Three terms: of the file, from epoch 20 on, and from 35 on. */
function three(): Network {
  const network = networkOf(given.file)
  network.begin({ number: 1, fromEpoch: 20, rotation: 0, validators: seats(4, 8) })
  network.begin({ number: 2, fromEpoch: 35, rotation: 0, validators: seats(8, 9) })
  return network
}

test('a network begins with the validators of its file, and names those of the newest term', () => {
  const network = networkOf(given.file)
  assert.deepEqual([network.term.number, network.quorum, network.validators.length], [0, 3, 4])
  const told: Term[] = []
  const end = network.onTerm((term) => told.push(term))
  network.begin({ number: 1, fromEpoch: 20, rotation: 0, validators: seats(4, 12) })
  end()
  network.begin({ number: 2, fromEpoch: 35, rotation: 0, validators: seats(8, 9) })
  assert.deepEqual(
    told.map(({ number }) => number),
    [1],
  )
  assert.deepEqual([network.term.number, network.quorum, network.validators.length], [2, 1, 1])
  assert.equal(network.isValidator(keys[8]!.id), true)
  assert.equal(network.isValidator(keys[0]!.id), false)
})

test('each epoch is of one term: the newest that began by then', () => {
  const network = three()
  const numberAt = (epoch: number): number => network.termAt(epoch).number
  assert.deepEqual([-5, 0, 19, 20, 34, 35, 2 ** 40].map(numberAt), [0, 0, 0, 1, 1, 2, 2])
  fc.assert(
    fc.property(fc.integer({ min: -10, max: 100 }), (epoch) => {
      const { number, fromEpoch } = network.termAt(epoch)
      assert.ok(number === 0 || fromEpoch <= epoch)
      assert.ok(numberAt(epoch + 1) >= number)
    }),
  )
})

test('a term that does not follow the newest is a mistake of the caller', () => {
  const network = three()
  const validators = seats(4, 8)
  for (const wrong of [
    { number: 2, fromEpoch: 50, validators },
    { number: 4, fromEpoch: 50, validators },
    { number: 3, fromEpoch: 35, validators },
  ])
    assert.throws(() => network.begin({ ...wrong, rotation: 0 }), RangeError)
  assert.equal(network.term.number, 2)
})

test('who signs is found by public key, in its term only', () => {
  const network = three()
  assert.equal(network.termAt(0).validatorWith(keys[0]!.publicKey), keys[0]!.id)
  assert.equal(network.termAt(20).validatorWith(keys[0]!.publicKey), undefined)
  assert.equal(network.termAt(20).validatorWith(keys[4]!.publicKey), keys[4]!.id)
})

test('those whose invitations count are not others by a new term', () => {
  const invited = networkOf(testNetwork(4, 8, { policy: 'invite' }).network.file)
  const [first] = invited.validators
  invited.begin({ number: 1, fromEpoch: 20, rotation: 0, validators: seats(4, 8) })
  assert.equal(invited.isInviter(first!.id), true)
  assert.equal(invited.isInviter(keys[4]!.id), false)
})
