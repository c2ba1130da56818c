import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { skipWithout } from './lib/needs.ts'
import { RouteNetwork } from './lib/route-network.ts'

// Paths that do not take packets of 1,440 bytes: each goes there in two halves, and nobody has to say so.

const BASE_PORT = 26_600
const BYTES = 20_000_000
const SUM = createHash('sha256').update(Buffer.alloc(BYTES, 7)).digest('hex')

describe('packets on narrow paths', { skip: skipWithout('root', 'nat', 'curl') }, () => {
  test('a download comes where large datagrams are lost without a word, before the entry and before the exit', async (t) => {
    await using network = await RouteNetwork.up(BASE_PORT)
    network.loseLarge('c', 'e')
    network.loseLarge('r', 'x')
    await network.startClient()
    await network.connect()
    const began = performance.now()
    assert.equal(await network.download(BYTES), SUM)
    t.diagnostic(`${((BYTES / (performance.now() - began)) * 1e-3).toFixed(1)} MB/s`)
    const { carriage, route } = await network.status()
    assert.equal(route.legs[0]?.carriage, 'halves')
    assert.match(carriage.reason, /halves of packets/)
    for (const place of ['e', 'x'] as const) assert.ok((await network.lostAsTooLarge(place)) > 0)
  })

  test('nodes at a wire of an MTU of 1,280 are admitted, and a download comes', async () => {
    await using network = await RouteNetwork.up(BASE_PORT, undefined, (bare) => {
      bare.narrow('c', 'e')
      bare.narrow('r', 'x')
    })
    await network.startClient()
    await network.connect()
    assert.equal(await network.download(BYTES), SUM)
    assert.equal((await network.status()).route.legs[0]?.carriage, 'halves')
  })

  test('a route in use goes on when the path becomes narrow', async () => {
    await using network = await RouteNetwork.up(BASE_PORT)
    await network.startClient()
    await network.connect()
    assert.equal(await network.download(BYTES), SUM)
    assert.equal((await network.status()).route.legs[0]?.carriage, 'udp')
    network.loseLarge('c', 'e')
    assert.equal(await network.download(BYTES), SUM)
    assert.equal((await network.status()).route.legs[0]?.carriage, 'halves')
  })
})
