import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { RouteNetwork } from './lib/route-network.ts'

// A client in a network that lets no UDP through: its packets ride in TLS, and go by UDP again when that works.

const BASE_PORT = 26_500
const BYTES = 20_000_000
const SUM = createHash('sha256').update(Buffer.alloc(BYTES, 7)).digest('hex')
const NO_UDP = `
table inet block {
  chain out { type filter hook output priority 0; oifname != "lo" meta l4proto udp drop; }
  chain in { type filter hook input priority 0; iifname != "lo" meta l4proto udp drop; }
}
`

describe('packets in TLS where UDP is blocked', { skip: skipWithout('root', 'nat', 'curl') }, () => {
  let network: RouteNetwork
  const carriage = async (): Promise<string | undefined> => (await network.status()).route.legs[0]?.carriage

  before(async () => {
    // 443 of the operator's choice: that is what such networks let through.
    network = await RouteNetwork.up(BASE_PORT, 443)
  })
  after(() => network[Symbol.asyncDispose]())

  const download = async (say: (text: string) => void): Promise<void> => {
    const began = performance.now()
    assert.equal(await network.download(BYTES), SUM)
    say(`${((BYTES / (performance.now() - began)) * 1e-3).toFixed(1)} MB/s`)
  }

  test('a download comes through the proxy, and the status says why it does so in TLS', async (t) => {
    network.namespaces.nft('c', NO_UDP)
    await network.startClient()
    await network.connect()
    await download((text) => t.diagnostic(`in TLS ${text}`))
    const { carriage: chosen, route } = await network.status()
    assert.equal(route.legs[0]?.carriage, 'tls')
    assert.equal(chosen.over, 'tls')
    assert.match(chosen.reason, /UDP, which seems to be blocked/)
    assert.ok(((await network.status('entry')).carried?.inTls ?? 0) >= 1)
  })

  test('when UDP is let through again packets go by it, and nothing breaks', async (t) => {
    const running = network.download(BYTES)
    network.namespaces.nft('c', 'delete table inet block')
    assert.equal(await running, SUM)
    await eventually('packets by UDP', carriage, (over) => over === 'udp', 60_000)
    assert.equal((await network.status()).carriage.reason, '')
    await download((text) => t.diagnostic(`by UDP ${text}`))
  })

  test('a route in use goes over to TLS when UDP is blocked', async () => {
    network.namespaces.nft('c', NO_UDP)
    assert.equal(await network.download(BYTES), SUM)
    await eventually('packets in TLS', carriage, (over) => over === 'tls')
  })
})
