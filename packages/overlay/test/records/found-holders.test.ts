import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '@weft/core'
import type { HolderFinder } from '../../src/records/holder-finder.ts'
import { closestMembers } from '../../src/records/closest-members.ts'
import { codeOf } from '../fixtures.ts'
import { type NetworkNode, RecordNetwork, memberOf } from './record-network.ts'

const EXPIRES = Date.now() + 3_600_000

/** Finds the holders among these nodes, and counts how often it was asked. */
function finderAmong(nodes: readonly NetworkNode[], needed: boolean): HolderFinder & { asked: number } {
  const members = nodes.map((node, at) => memberOf(node.key.id, at))
  return {
    asked: 0,
    isNeeded: () => needed,
    async find(key) {
      this.asked++
      return { members: closestMembers(members, key, 20), count: members.length }
    },
  }
}

describe('records of holders that were found', () => {
  it('are read and written by a node without a map', async () => {
    await using network = await RecordNetwork.of(10, 2)
    const [writer, client] = network.nodes.slice(10) as [NetworkNode, NetworkNode]
    const { key } = await writer.store.putImmutable(utf8('before'), EXPIRES)
    network.mapless.add(client)
    assert.equal(await codeOf(() => client.store.get(key)), 'E_RECORD_UNAVAILABLE')
    network.finder = finderAmong(network.nodes.slice(0, 10), true)
    assert.deepEqual((await client.store.get(key)).value, utf8('before'))
    const put = await client.store.putMutable({
      owner: client.key,
      salt: utf8('own'),
      sequence: 1,
      value: utf8('found'),
      expiresAt: EXPIRES,
    })
    assert.deepEqual([put.holders, put.required], [10, 7])
    const got = await writer.store.getMutable(client.key.publicKey, utf8('own'))
    assert.deepEqual([got.value, got.quorum], [utf8('found'), true])
  })

  it('need a quorum of the map that they were found by', async () => {
    await using network = await RecordNetwork.of(10, 1)
    const client = network.nodes[10] as NetworkNode
    network.mapless.add(client)
    const finder = finderAmong(network.nodes.slice(0, 10), true)
    network.finder = {
      ...finder,
      find: async (...asked) => ({ ...(await finder.find(...asked)), members: [] }) as never,
    }
    assert.equal(await codeOf(() => client.store.putImmutable(utf8('nowhere'), EXPIRES)), 'E_RECORD_QUORUM')
    network.finder = finder
    for (const node of network.nodes.slice(0, 4)) await network.stop(node)
    assert.equal(await codeOf(() => client.store.putImmutable(utf8('too few'), EXPIRES)), 'E_RECORD_QUORUM')
    assert.ok(finder.asked > 0)
  })

  it('are asked when those of the own map have left, and only then', async () => {
    await using network = await RecordNetwork.of(10, 1)
    const client = network.nodes[10] as NetworkNode
    const heirs = [await network.add(true), await network.add(true), await network.add(true), await network.add(true)]
    const { key } = await client.store.putImmutable(utf8('moved'), EXPIRES)
    const finder = finderAmong(heirs, false)
    network.finder = finder
    assert.deepEqual((await client.store.get(key)).value, utf8('moved'))
    assert.equal(finder.asked, 0)
    for (const node of network.nodes.slice(0, 10)) await network.stop(node)
    assert.equal(await codeOf(() => client.store.get(key)), 'E_RECORD_NOT_FOUND')
    await client.store.putImmutable(utf8('moved'), EXPIRES)
    assert.deepEqual((await client.store.get(key)).value, utf8('moved'))
    assert.equal(finder.asked, 3)
  })

  it('are not asked twice when they are those of the own map', async () => {
    await using network = await RecordNetwork.of(4, 1)
    const client = network.nodes[4] as NetworkNode
    const finder = finderAmong(network.nodes.slice(0, 4), false)
    network.finder = finder
    for (const node of network.nodes.slice(0, 4)) await network.stop(node)
    const calls = network.calls
    assert.equal(await codeOf(() => client.store.get(new Uint8Array(32))), 'E_RECORD_UNAVAILABLE')
    assert.equal(finder.asked, 1)
    assert.equal(network.calls - calls, 4)
  })
})
