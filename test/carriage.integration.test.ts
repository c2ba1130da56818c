import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { RouteNetwork } from './lib/route-network.ts'

// A client in a network that lets no UDP through: its packets ride in TLS, and go by UDP again when that works.

const BASE_PORT = 26_500
const BYTES = 20_000_000
const SUM = createHash('sha256').update(Buffer.alloc(BYTES, 7)).digest('hex')
const WEB_PORT_CLIENT = join(import.meta.dirname, '../packages/vpn/test/web-port/client-process.ts')
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

for (const [how, verdict] of [
  ['are refused', 'reject with tcp reset'],
  ['come to nothing', 'drop'],
] as const)
  test(
    `where TCP 443 alone is open, and connections to other ports ${how}, entries there are found, and taken from then on`,
    { skip: skipWithout('root', 'nat') },
    async () => {
      const rules = `
        table inet block {
          chain out {
            type filter hook output priority 0
            tcp dport 443 accept
            tcp sport 443 accept
            ip daddr 10.78.0.0/16 udp sport != 5000 drop
            ip daddr 10.78.0.0/16 meta l4proto tcp ${verdict}
          }
        }`
      const script = `ip link set lo up && ip address add 10.78.0.1/16 dev lo && echo "$1" | nft -f - && exec "$2" "$3"`
      const { stdout } = await promisify(execFile)(
        'unshare',
        ['-n', 'sh', '-c', script, 'sh', rules, join(import.meta.dirname, '../bin/node'), WEB_PORT_CLIENT],
        { env: { ...process.env, NODE_TEST_CONTEXT: undefined }, timeout: 120_000 },
      )
      assert.deepEqual(
        JSON.parse(stdout),
        Array.from({ length: 10 }, () => 'here'),
      )
    },
  )
