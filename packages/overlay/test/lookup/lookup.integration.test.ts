import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, utf8 } from '@weft/core'
import type { MapReader } from '../../src/index.ts'
import { closestMembers } from '../../src/records/closest-members.ts'
import { LocalNetwork } from '../local-network.ts'
import { until } from '../until.ts'

/** Never comes to the end of a map: who reads by it holds none. */
const neverRead: MapReader = {
  *whole() {
    yield
    throw new TypeError('no map is read here')
  },
  *changed() {
    yield
    throw new TypeError('no map is read here')
  },
}

test('a client that never gets the map finds the members closest to a key, and reads and writes records', async () => {
  await using network = await LocalNetwork.create(7, 4)
  const members = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => network.start(index)))
  const [first] = members as [(typeof members)[0]]
  await until(first.overlay, 'six members', () => first.overlay.membership.members().length === 6)
  const client = await network.start(6, { roles: ['client'], mapReader: neverRead })
  const expiresAt = Date.now() + 3_600_000
  const { key } = await first.overlay.records.putImmutable(utf8('for whoever asks'), expiresAt)

  const found = await client.overlay.lookup(key)
  const right = closestMembers(first.overlay.membership.members(), key, 20)
  assert.deepEqual(
    found.members.map(({ id }) => id),
    right.map(({ id }) => id),
  )
  assert.deepEqual([found.doubtful, found.stale, found.count], [false, false, 6])
  assert.ok(found.agreeing.length > 1)

  assert.equal(fromUtf8((await client.overlay.records.get(key)).value), 'for whoever asks')
  const salt = utf8('own')
  const own = { owner: client.key, salt, sequence: 1, value: utf8('written'), expiresAt }
  const put = await client.overlay.records.putMutable(own)
  assert.deepEqual([put.holders, put.required], [6, 5])
  const got = await first.overlay.records.getMutable(client.key.publicKey, salt)
  assert.deepEqual([fromUtf8(got.value), got.quorum], ['written', true])

  assert.equal(client.overlay.membership.members().length, 0)
  assert.equal(client.overlay.membership.status().fault?.code, 'E_MAP_NONE')
})
