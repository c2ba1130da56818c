import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { skipWithout } from './lib/needs.ts'
import { RouteNetwork } from './lib/route-network.ts'

// A client with IPv6 alone; nodes have both, and IPv4 stands first in the map.

const BASE_PORT = 26_700
const BYTES = 20_000_000
const SUM = createHash('sha256').update(Buffer.alloc(BYTES, 7)).digest('hex')

describe('a route that begins by IPv6', { skip: skipWithout('root', 'nat', 'curl') }, () => {
  let network: RouteNetwork

  before(async () => {
    network = await RouteNetwork.up(BASE_PORT, undefined, undefined, true)
    await network.startClient()
  })
  after(() => network[Symbol.asyncDispose]())

  test('the client finds the address of the entry that it can reach, and a download comes', async (t) => {
    await network.connect()
    const began = performance.now()
    assert.equal(await network.download(BYTES), SUM)
    t.diagnostic(`${((BYTES / (performance.now() - began)) * 1e-3).toFixed(1)} MB/s`)
    const status = await network.status()
    assert.equal(status.route.legs[0]?.carriage, 'udp')
    assert.deepEqual(status.carried, undefined)
  })

  test('in halves where a path of the smallest MTU of IPv6 loses the rest', async () => {
    network.loseLarge('c', 'e')
    assert.equal(await network.download(BYTES), SUM)
    assert.equal((await network.status()).route.legs[0]?.carriage, 'halves')
  })

  test('in TLS where UDP is blocked', async () => {
    network.namespaces.nft(
      'c',
      `table inet block {
        chain out { type filter hook output priority 0; oifname != "lo" meta l4proto udp drop; }
      }`,
    )
    assert.equal(await network.download(BYTES), SUM)
    assert.equal((await network.status()).route.legs[0]?.carriage, 'tls')
  })
})
