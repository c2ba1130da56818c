import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { formatBridgeLine, parseBridgeLine } from '@weft/bridge'
import { startScriptIn } from '../../bench/lib/daemon-in-namespace.ts'
import { BRIDGE, CensoredNetwork, MEMBERS, type Rule } from '../lib/censored-network.ts'
import { eventually } from '../lib/eventually.ts'
import { skipWithout } from '../lib/needs.ts'
import { weft } from '../lib/weft.ts'

// A client in a network whose censor drops all UDP, port 53, the addresses of all members and what looks like the protocol: with a bridge it
// joins, browses, stores and reads, while a quarter of the members deny that they have what is asked for; without one it does not, and says why.
// Apps and mailboxes do not exist yet. Three of the twelve members deny an object as who lost it does: its shards and its record are taken from them,
// and they go on answering for all else.

const BASE_PORT = 26_700
const BYTES = 10_000_000
const SUM = createHash('sha256').update(Buffer.alloc(BYTES, 7)).digest('hex')
/** A record holds it whole (docs/specs/objects.md, Records). */
const SMALL = 3_000
const LARGE = 2_000_000

interface Stored {
  readonly ref: string
}
interface Stat {
  readonly segments: readonly { readonly shards: readonly { readonly node: string; readonly state: string }[] }[]
}
interface Shown {
  readonly bridges: readonly { readonly name: string; readonly state: string }[]
}
interface Listed {
  readonly role: {
    readonly streams: number
    readonly clients: number
    readonly invitations: readonly { readonly name: string; readonly streams: number; readonly toClients: number }[]
  } | null
}

describe('a bridge in a censored network', { skip: skipWithout('root', 'nat', 'curl') }, () => {
  let network: CensoredNetwork
  let token: string
  let line: string
  let refs: readonly string[]
  const contents = [randomBytes(SMALL), randomBytes(LARGE)] as const
  const path = (name: string): string => join(network.home('client'), name)
  const shardsOf = async (ref: string | undefined) =>
    (await network.inside<Stat>('client', ['stat', ref ?? ''])).segments.flatMap(({ shards }) => shards)
  const none = { dns: 0, udp: 0, multistream: 0, websocket: 0, listed: 0 } satisfies Record<Rule, number>
  const listed = async (): Promise<NonNullable<Listed['role']>> =>
    (await network.ask<Listed>('bridge', ['bridge', 'list'])).role ?? assert.fail('it is no bridge')

  before(async () => {
    network = await CensoredNetwork.up(BASE_PORT)
    await eventually(
      'all members in the map of the bridge',
      () => network.ask<{ readonly members: readonly unknown[] }>('bridge', ['members']),
      ({ members }) => members.length === MEMBERS,
    )
    token = (await network.ask<{ readonly token: string }>('member0', ['network', 'invite'])).token
    line = (await network.ask<{ readonly line: string }>('bridge', ['bridge', 'invite', 'first'])).line
  })
  after(() => network?.[Symbol.asyncDispose]())

  test('who has a token and the line of a bridge joins, and sends nothing that a censor looks for', async () => {
    network.makeClient('client', 0)
    await network.inside('client', ['network', 'join', token, '--bridge', line])
    assert.equal(statSync(path('bridges')).mode & 0o777, 0o600)
    await network.startClient('client')
    await eventually(
      'the signed map',
      () => network.ask<{ readonly members: readonly unknown[] }>('client', ['members']),
      ({ members }) => members.length === MEMBERS,
    )
    const { bridges } = await network.ask<Shown>('client', ['bridge', 'show'])
    assert.deepEqual(bridges, [{ name: `${BRIDGE}:443`, state: 'used' }])
    assert.deepEqual(await network.dropped(), none)
  })

  test('it browses by a route', async (t) => {
    await network.inside('client', ['vpn', 'up', '--wait', '--timeout', '60s'])
    const began = performance.now()
    assert.equal(await network.browse(0, BYTES), SUM)
    t.diagnostic(`${((BYTES / (performance.now() - began)) * 1e-3).toFixed(1)} MB/s`)
  })

  test('it publishes and reads, while a quarter of the members deny what is stored', async () => {
    refs = await Promise.all(
      contents.map(async (content, at) => {
        writeFileSync(path(`put${at}`), content)
        return (await network.inside<Stored>('client', ['put', path(`put${at}`)])).ref
      }),
    )
    const holders = (await shardsOf(refs[1])).map(({ node }) => node)
    const deniers = await Promise.all(holders.slice(0, 4).map((id) => network.memberWith(id)))
    // The one validator goes on: without it there are no maps.
    await network.emptyMembers(deniers.filter((at) => at > 0).slice(0, MEMBERS / 4))
    await eventually(
      'that they deny it',
      () => shardsOf(refs[1]),
      (shards) => shards.filter(({ state }) => state === 'missing').length === MEMBERS / 4,
    )
    for (const [at, ref] of refs.entries()) {
      await network.inside('client', ['get', ref, '-o', path(`got${at}`)])
      assert.ok(readFileSync(path(`got${at}`)).equals(contents[at] as Buffer))
    }
  })

  test('all that it sent went to the bridge', async (t) => {
    const passed = await network.passed()
    t.diagnostic(`${passed.bridge} packets to the bridge`)
    assert.deepEqual(await network.dropped(), none)
    assert.equal(passed.others, 0)
    assert.ok(passed.bridge > 0)
    const { clients, invitations } = await listed()
    assert.equal(clients, 1)
    assert.ok((invitations[0]?.toClients ?? 0) > LARGE + BYTES)
  })

  test('who tries the bridge gets a web page, and the same whatever he asks for', async () => {
    const ask = (...words: readonly string[]): Promise<string> =>
      network.namespaces.exec('c', ['curl', '-sSk', '--max-time', '20', '-o', '-', '-w', '\n%{http_code}', ...words])
    const site = `https://${BRIDGE}`
    assert.match(await ask(`${site}/`), /Cannot GET \/<[\s\S]*\n404$/)
    const upgrade = ['-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket', '--http1.1']
    const missing = await ask(`${site}/nothing`)
    assert.match(missing, /\n404$/)
    for (const path of ['nothing', 'A'.repeat(64)])
      assert.equal((await ask(...upgrade, `${site}/${path}`)).replace(path, 'nothing'), missing)
    assert.equal(await ask(...upgrade, `${site}/`), await ask(`${site}/`))
  })

  test('the line is no use once it is revoked: streams end, and the client says what is wrong', async () => {
    await network.ask('bridge', ['bridge', 'revoke', 'first'])
    assert.equal((await listed()).streams, 0)
    const { bridges } = await eventually(
      'that the bridge refuses',
      () => network.ask<Shown>('client', ['bridge', 'show']),
      (shown) => shown.bridges[0]?.state === 'failed',
    )
    assert.match(JSON.stringify(bridges), /E_BRIDGE_REFUSED/)
    const { stdout } = await weft(['check', '--json'], { WEFT_HOME: network.home('client') })
    assert.match(
      stdout,
      /"name":"bridge","ok":false[^}]*"fault":\{"code":"E_BRIDGE_NONE","cause":"[^"]+","fix":"[^"]+"/,
    )
    assert.deepEqual(await network.dropped(), none)
  })

  test('a new line brings it back, behind a bridge that is down', async () => {
    const again = (await network.ask<{ readonly line: string }>('bridge', ['bridge', 'invite', 'second'])).line
    const down = formatBridgeLine({ ...parseBridgeLine(again), endpoint: { host: BRIDGE, port: 444 } })
    await network.inside('client', ['bridge', 'remove', `${BRIDGE}:443`])
    for (const each of [down, again]) await network.inside('client', ['bridge', 'add', each])
    await network.ask('client', ['stop'])
    await network.startClient('client')
    const { bridges } = await eventually(
      'the bridge that is up',
      () => network.ask<Shown>('client', ['bridge', 'show']),
      (shown) => shown.bridges[1]?.state === 'used',
    )
    assert.match(JSON.stringify(bridges[0]), /E_BRIDGE_UNREACHABLE/)
    await network.inside('client', ['vpn', 'up', '--wait', '--timeout', '60s'])
    assert.equal(await network.browse(0, BYTES), SUM)
    assert.deepEqual(await network.dropped(), none)
  })

  test('the logs of the client and the bridge tell neither who nor where the other is', () => {
    const logs = ['client', 'bridge'].map((name) =>
      readFileSync(join(network.home(name), 'logs', 'daemon.log'), 'utf8'),
    )
    for (const log of logs) {
      assert.ok(!log.includes(line.slice('weft-bridge-'.length, 60)))
      assert.ok(!log.includes('10.80.0.2'))
    }
    assert.ok(!logs[0]?.includes(BRIDGE))
  })

  test('a client without a bridge does not get in, and says so; the censor sees it try', async () => {
    network.makeClient('open', 1)
    await assert.rejects(
      network.inside('open', ['network', 'join', token, '--timeout', '60s']),
      /E_JOIN_UNREACHABLE|E_TIMEOUT/,
    )
    const { listed: dropped } = await network.dropped()
    assert.ok(dropped > 0)
  })

  test('the censor knows the protocol when it sees it', async () => {
    const says = (text: string): string => `require('node:net').connect(443, '${BRIDGE}', function () {
      this.on('error', () => {}).write(Buffer.from('${Buffer.from(text).toString('hex')}', 'hex'))
      console.log('said')
    })`
    const asks = (port: number): string =>
      `require('node:dgram').createSocket('udp4').send('x', ${port}, '203.0.113.9', () => console.log('said'))`
    const scripts = [says('\x13/multistream/1.0.0\n'), says('GET / HTTP/1.1\r\n\r\n'), asks(53), asks(4_780)]
    for (const script of scripts) {
      await using running = await startScriptIn(network.namespaces.of('c'), ['-e', script])
      void running
    }
    await eventually(
      'that each is dropped',
      () => network.dropped(),
      (dropped) => Object.values(dropped).every((count) => count > 0),
    )
  })
})
