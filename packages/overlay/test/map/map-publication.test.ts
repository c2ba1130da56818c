import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { type SigningKey, signatureWork } from '@weft/crypto'
import { type SignedMap, SignedMapSchema, create } from '@weft/wire'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { MapPublication } from '../../src/map/map-publication.ts'
import { NO_BEACON, BEGIN, EPOCH, advance, testNetwork } from '../fixtures.ts'

const { network, keys } = testNetwork(4, 0)
/** Whose first turn is that of validator 1. */
const NUMBER = 9
const STEP = EPOCH / 20

function mapBy(signers: readonly number[], which = 1): SignedMap {
  const root = new Uint8Array(32).fill(which)
  const body = encodeMapBody({
    network: network.id,
    epoch: NUMBER,
    root,
    count: 1,
    signedAt: BEGIN + NUMBER * EPOCH,
    ...NO_BEACON,
  })
  const signatures = signers.map((index) => {
    const key = keys[index] as SigningKey
    return { signer: key.publicKey, signature: key.sign('map', body) }
  })
  return create(SignedMapSchema, { body, signatures })
}

/** When validator `index` brings out the map, ms after it had it; undefined when it does not. */
async function turnOf(
  index: number,
  at = 0,
  during = (_publication: MapPublication): void => {},
): Promise<number | undefined> {
  const clock = new VirtualClock(BEGIN + NUMBER * EPOCH + at)
  const begin = clock.now()
  const publication = new MapPublication({ network, self: (keys[index] as SigningKey).id, clock })
  const turn = publication
    .awaitTurn(mapBy([0, 1, 2]), new AbortController().signal)
    .then((isTurn) => (isTurn ? clock.now() - begin : undefined))
  await advance(clock, STEP / 2)
  during(publication)
  await advance(clock, EPOCH)
  return turn
}

test('the first proposer brings the map out at once, the others a step after each other', async () => {
  assert.deepEqual(await Promise.all([1, 2, 3, 0].map((index) => turnOf(index))), [0, STEP, 2 * STEP, 3 * STEP])
})

test('nobody brings out what another did, by whatever signatures', async () => {
  assert.equal(
    await turnOf(2, 0, (publication) => assert.equal(publication.isThatOf(mapBy([1, 2, 3])), true)),
    undefined,
  )
})

test('what is not the map, or not signed by a quorum, silences nobody', async () => {
  const hostile = [mapBy([0, 1]), mapBy([0, 0, 1]), mapBy([0, 1, 2], 2)]
  for (const map of hostile) {
    assert.equal(await turnOf(2, 0, (publication) => assert.equal(publication.isThatOf(map), false)), STEP)
  }
})

test('one bad signature is all that is looked at of a map that is made up', async () => {
  const forged = mapBy([0, 1, 2, 3])
  for (const signature of forged.signatures) signature.signature = new Uint8Array(64)
  await turnOf(2, 0, (publication) => {
    const before = signatureWork().asked
    assert.equal(publication.isThatOf(forged), false)
    assert.equal(signatureWork().asked - before, 1)
  })
})

test('when the epoch is over before its turn it says nothing', async () => {
  assert.equal(await turnOf(0, EPOCH - STEP), undefined)
  assert.equal(await turnOf(1, EPOCH - STEP), 0)
})
