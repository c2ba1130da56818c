import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { VpnStatusAnswer } from '@weft/node'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { EXIT_OUTSIDE6, SECRET, SERVER, SERVER6, TunNetwork, hostOf } from './lib/tun-network.ts'
import { weft, weftJson } from './lib/weft.ts'

// The whole machine through three nodes: programs in the client's namespace know of nothing.

const BASE_PORT = 26_400

/** Counts what leaves the client's namespace and is neither a packet to an entry nor a connection of the daemon to a node. */
const WATCH = `
table inet watch {
  counter to_entry {}
  counter overlay {}
  counter others {}
  chain out {
    type filter hook postrouting priority 300
    oifname != "to-n" accept
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept
    ip daddr ${hostOf(1)} meta l4proto { tcp, udp } th dport ${BASE_PORT + 2} counter name to_entry accept
    ip daddr { ${[0, 1, 2, 3, 4].map(hostOf).join(', ')} } tcp dport { ${BASE_PORT}, ${BASE_PORT + 1} } counter name overlay accept
    counter name others
  }
}
`

describe('the whole machine through a route', { skip: skipWithout('root', 'nat', 'tun', 'curl') }, () => {
  let network: TunNetwork
  /** Packets that answered somebody outside. */
  let answers = 0

  const leaked = async (): Promise<number> => {
    const text = await network.exec('c', ['nft', 'list', 'counter', 'inet', 'watch', 'others'])
    return Number(/packets (\d+)/.exec(text)?.[1])
  }

  before(async () => {
    network = await TunNetwork.up(BASE_PORT)
    execFileSync('ip', ['netns', 'exec', network.namespace('c'), 'nft', '-f', '-'], { input: WATCH, stdio: 'pipe' })
  })
  after(async () => network[Symbol.asyncDispose]())

  test('weft vpn up --tun finds the exit that carries IP packets among those that do not', async () => {
    await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    const { tun } = await network.status()
    assert.equal(tun?.state, 'open')
    assert.equal(tun.ipv6, false)
    assert.equal((await network.exitStatus()).carried?.exitIp?.clients, 1)
  })

  test('curl without any setting: by address and by name, and the server sees the exit', async () => {
    assert.equal(await network.curl(`http://${SERVER}:8080/who`), network.exitOutside)
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
  })

  test('a name server of IPv6 is answered for, too, which nothing would reach', async () => {
    assert.equal(await network.namesByIPv6('www.test'), SERVER)
  })

  test('another profile reaches the tunnel that is up: it goes over new routes, and names do', async () => {
    /** When the legs of the tunnel got ready. */
    const legs = async (): Promise<readonly number[]> =>
      (await weftJson<VpnStatusAnswer>(['vpn', 'status'], network.env)).others
        .filter(({ use }) => use === 'tunnel')
        .flatMap(({ legs: all }) => all.map(({ since }) => since))
    for (const profile of ['fast', 'default']) {
      const before = new Set(await legs())
      await weftJson(['vpn', 'profile', 'use', profile], network.env)
      await eventually('new routes alone', legs, (all) => all.length > 0 && all.every((since) => !before.has(since)))
      assert.equal((await network.status()).tun?.state, 'open')
      assert.equal(await network.curl(`http://${SERVER}:8080/who`), network.exitOutside)
      assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
    }
  })

  test('a download and an upload come whole', async (t) => {
    const bytes = 30_000_000
    const script = `curl -sS --fail --max-time 120 -w '%{stderr}%{speed_download}' http://${SERVER}:8080/${bytes} | sha256sum`
    const began = performance.now()
    const sum = await network.exec('c', ['sh', '-c', script], 120_000)
    t.diagnostic(`${((bytes / (performance.now() - began)) * 1e-3).toFixed(1)} MB/s down`)
    assert.equal(sum.split(' ')[0], createHash('sha256').update(Buffer.alloc(bytes, 7)).digest('hex'))
    const upload = `head -c ${bytes} /dev/zero | curl -sS --fail --max-time 120 --data-binary @- http://${SERVER}:8080/up`
    const from = performance.now()
    assert.equal(await network.exec('c', ['sh', '-c', upload], 120_000), 'taken')
    t.diagnostic(`${((bytes / (performance.now() - from)) * 1e-3).toFixed(1)} MB/s up`)
  })

  test('of these the system gave and took many at once, at both ends; the status and the metrics tell so', async () => {
    const { tun } = await network.status()
    const exitIp = (await network.exitStatus()).carried?.exitIp
    assert.ok(tun !== undefined && exitIp !== undefined)
    for (const { superPackets, bytes, packets } of [tun, exitIp]) {
      const { read, split, written, merged } = superPackets
      assert.ok(read > 0 && split >= 2 * read && written > 0 && merged >= 2 * written, JSON.stringify(superPackets))
      assert.ok(bytes.sent > 30_000_000 && bytes.received > 30_000_000, JSON.stringify(bytes))
      assert.deepEqual([packets['broken'], packets['unreadable'], packets['untaken']], [0, 0, 0])
    }
    const { stdout } = await weft(['vpn', 'status', '--long'], network.env)
    assert.match(stdout, /\nthe whole machine: connected\nactive /)
    const { stdout: exits } = await weft(['vpn', 'exits', '--long'], network.env)
    assert.match(exits, new RegExp(`${tun.exit} .*in use: .*the whole machine`))
    assert.match(stdout, /\d+ packets from \d+ super-packets of the system, \d+ to it in \d+/)
  })

  test('datagrams go there and back, those that are longer than the interface takes included', async () => {
    for (const length of [1, 1200, 1252, 1472, 4000]) {
      const bytes = Buffer.alloc(length, length & 0x7f)
      assert.deepEqual(await network.udp(SERVER, bytes), bytes, String(length))
    }
    assert.equal((await network.udp(SERVER, Buffer.from('who'))).toString(), network.exitOutside)
  })

  test('a private target beside the exit is refused, by address and by name', async () => {
    await assert.rejects(network.curl(`http://${SECRET}:8080/`), /curl: \(7\)/)
    await assert.rejects(network.curl('http://secret.test:8080/'), /curl: \(6\)/)
    await assert.rejects(
      network.curl('--max-time', '5', `http://${network.exitOutside}:${BASE_PORT}/`),
      /curl: \((7|28)\)/,
    )
    await assert.rejects(network.curl('--max-time', '5', 'http://169.254.169.254/'), /curl: \(7\)/)
    assert.equal(await network.curl(`http://${SERVER}:8080/strangers`), '0')
    assert.ok(((await network.exitStatus()).carried?.exitIp?.packets['refused'] ?? 0) >= 2)
    // One entry for all of them.
    const refused = (await network.status()).failures.filter(({ code }) => code === 'E_TARGET_POLICY')
    assert.deepEqual([refused.length, (refused[0]?.count ?? 0) >= 3], [1, true])
  })

  test('IPv6, which the exit has not, is unreachable at once', async () => {
    await assert.rejects(network.curl('http://[2001:db8::1]:8080/'), /curl: \(7\)/)
  })

  test('a socket that is bound to the wire gets nothing out', async () => {
    const words = ['--max-time', '3', '--interface', 'to-n', `http://${network.lan}:9/`]
    await assert.rejects(network.curl(...words), /curl: \((7|28)\)/)
  })

  test('the daemon calls nodes outside of the tunnel, what other users call goes through it', async () => {
    const overlay = async (): Promise<number> => {
      const text = await network.exec('c', ['nft', 'list', 'counter', 'inet', 'watch', 'overlay'])
      return Number(/packets (\d+)/.exec(text)?.[1])
    }
    const node = `http://${hostOf(3)}:${BASE_PORT}/`
    const before = await overlay()
    // TLS is spoken there, so that nothing comes of it but a connection.
    await assert.rejects(network.curl('--max-time', '5', node), /curl: \((1|52|56)\)/)
    assert.ok((await overlay()) > before)
    const others = ['setpriv', '--reuid', '65534', '--clear-groups', 'curl', '-sS', '--max-time', '5', node]
    await assert.rejects(network.exec('c', others), /curl: \(7\)/)
  })

  test('who calls this machine from outside is answered there', async () => {
    const listen = `require('node:http').createServer((_, response) => response.end('here')).listen(9090, '10.60.0.2', () => console.log('up'))`
    const server = spawn('ip', ['netns', 'exec', network.namespace('c'), process.execPath, '-e', listen])
    await once(server.stdout, 'data')
    const before = await leaked()
    assert.equal(await network.exec('n', ['curl', '-sS', '--max-time', '10', 'http://10.60.0.2:9090/']), 'here')
    server.kill('SIGKILL')
    await once(server, 'exit')
    answers += (await leaked()) - before
  })

  test('of all that nothing left but packets to the entry and the overlay of the daemon', async () => {
    assert.equal(await leaked(), answers)
  })

  test('while the daemon is dead nothing leaves; the next one leads the machine through its tunnel again', async () => {
    await network.kill('client')
    await assert.rejects(network.curl('--max-time', '3', `http://${network.lan}:9/`), /curl: \(28\)/)
    assert.equal(await leaked(), answers)
    assert.ok((await network.rules()).tables.includes('weft_tun'), 'the guard stands')
    const told = await network.weftThere(['vpn', 'status'])
    assert.match(told.stderr, /E_DAEMON_NOT_RUNNING: .* let nothing leave this machine\.\n.*weft start.*weft vpn down/)
    assert.equal(told.code, 3)
    for (const word of ['down', 'up', 'route'])
      assert.match((await network.weftThere(['vpn', word])).stderr, /let nothing leave this machine\./, word)
    await network.startClient()
    const before = await network.status()
    assert.deepEqual([before.tun?.state, before.tun?.fault?.code], ['shut', 'E_TUN_LEFT'])
    await expectShut()
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
    assert.equal(await leaked(), answers)
    await network.kill('client')
    await network.startClient()
    await expectShut()
    await weftJson(['vpn', 'down'], network.env)
    await expectNothing()
    // Nobody listens there: that it says so shows that packets leave again.
    await assert.rejects(network.curl(`http://${network.lan}:9/`), /curl: \(7\)/)
    assert.ok((await leaked()) > answers)
  })

  test('up again, by two at once, and down: nothing is left', async () => {
    const up = (): Promise<unknown> => weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    await Promise.all([up(), up()])
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
    await weftJson(['vpn', 'down'], network.env)
    await expectNothing()
  })

  test('while no exit carries packets nothing leaves; when one does again, all goes on', async () => {
    await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    await network.kill('exit')
    const stateOf = async (): Promise<string | undefined> => (await network.status()).tun?.state
    await eventually('that the tunnel waits', stateOf, (state) => state === 'waiting')
    await expectShut()
    await network.startExit()
    await eventually('that it is open again', stateOf, (state) => state === 'open', 120_000)
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
  })

  test('stop takes all away, too', async () => {
    await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    await weft(['stop'], network.env)
    await expectNothing()
  })

  test('a daemon without the right to make an interface says so, and its proxy goes on', async () => {
    await network.startClient('setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin')
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
    const { code, stderr } = await weft(['vpn', 'up', '--tun'], network.env)
    assert.equal(code, 1)
    assert.match(stderr, /E_TUN_UNAVAILABLE: .*\n.*proxy/)
    const { state, tun } = await network.status()
    assert.deepEqual([state, tun?.state, tun?.fault?.code], ['connected', 'failed', 'E_TUN_UNAVAILABLE'])
    await weft(['stop'], network.env)
    await expectNothing()
  })

  test('with vpn.tun a start after a SIGKILL never opens the machine', async () => {
    network.setClient('[vpn]', 'tun = "on"', 'proxy = "on"')
    await network.startClient()
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
    await network.kill('client')
    const before = await leaked()
    const send = `const socket = require('node:dgram').createSocket('udp4'); console.log('up')
      const send = () => socket.send('1', 9, '${network.lan}', () => setImmediate(send)); send()`
    const sender = spawn('ip', ['netns', 'exec', network.namespace('c'), process.execPath, '-e', send])
    await once(sender.stdout, 'data')
    await network.startClient()
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
    sender.kill('SIGKILL')
    await once(sender, 'exit')
    assert.equal(await leaked(), before)
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
  })

  test('nor where its tunnel cannot be opened: then it says why, and opens the machine when it is told to', async () => {
    await network.kill('client')
    network.setClient('[vpn]', 'tun = "on"', 'proxy = "on"', 'tun_exclude_users = ["no-such-user"]')
    await network.startClient()
    const { tun } = await network.status()
    assert.deepEqual([tun?.state, tun?.fault?.code], ['shut', 'E_TUN_SPLIT'])
    assert.match(tun?.fault?.cause ?? '', /no-such-user.*let nothing leave this machine/)
    assert.match(tun?.fault?.fix ?? '', /weft vpn down opens the machine/)
    await expectShut()
    await weft(['stop'], network.env)
    await expectShut()
    // Nor by a daemon whose proxy waits to be called.
    network.setClient('[vpn]', 'tun = "on"')
    await network.startClient()
    const { tun: waiting } = await network.status()
    assert.deepEqual([waiting?.state, waiting?.fault?.code], ['shut', 'E_TUN_LEFT'])
    await expectShut()
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
    assert.equal((await network.status()).tun?.state, 'open')
    await network.kill('client')
    await network.startClient()
    await weftJson(['vpn', 'down'], network.env)
    await expectNothing()
    assert.equal((await network.status()).tun, undefined)
    await weft(['stop'], network.env)
  })

  test('excluded addresses are reached directly, all others through the tunnel; vpn.tun needs no flag', async () => {
    network.setClient('[vpn]', 'tun = "on"', 'tun_exclude = ["10.60.0.0/24"]')
    await network.startClient()
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
    // Nobody listens there, which the neighbour says at once.
    await assert.rejects(network.curl('--max-time', '5', `http://${network.lan}:9/`), /curl: \(7\)/)
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
    await weft(['stop'], network.env)
    await expectNothing()
  })

  test('with included addresses only these go through the tunnel', async () => {
    network.setClient('[vpn]', 'tun = "on"', `tun_include = ["${SERVER}/32"]`)
    await network.startClient()
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
    await assert.rejects(network.curl('--max-time', '5', `http://${network.lan}:9/`), /curl: \(7\)/)
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
    await weft(['stop'], network.env)
    await expectNothing()
  })

  test('an exit that was killed puts its rules in place of those that it left', async () => {
    await network.kill('exit')
    const left = await network.exec('x', ['nft', 'list', 'tables'])
    assert.match(left, /weftx/)
    await network.startExit()
    assert.equal(await network.exec('x', ['nft', 'list', 'tables']), left)
    network.setClient()
    await network.startClient()
    await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    assert.equal(await network.curl(`http://${SERVER}:8080/who`), network.exitOutside)
    await weft(['stop'], network.env)
  })

  test('the exit gives back what it took from its machine', async () => {
    const before = await network.exec('x', ['nft', 'list', 'tables'])
    assert.match(before, /weftx/)
    assert.equal((await network.exec('x', ['cat', '/proc/sys/net/ipv4/conf/to-s/forwarding'])).trim(), '1')
    await weft(['stop', '--home', network.home('exit')])
    assert.equal((await network.exec('x', ['nft', 'list', 'tables'])).trim(), '')
    assert.equal((await network.exec('x', ['cat', '/proc/sys/net/ipv4/conf/to-s/forwarding'])).trim(), '0')
    assert.ok(!(await network.exec('x', ['ip', '-br', 'link'])).includes('weftx'))
  })

  async function expectShut(): Promise<void> {
    const before = await leaked()
    await assert.rejects(network.curl('--max-time', '2', `http://${network.lan}:9/`), /curl: \(28\)/)
    assert.equal(await leaked(), before)
  }

  async function expectNothing(): Promise<void> {
    const { tables, rules, links } = await network.rules()
    assert.ok(!tables.includes('weft'), tables)
    assert.ok(!rules.includes('30565'), rules)
    assert.ok(!links.includes('weft0'), links)
    assert.ok(!existsSync(join(network.home('client'), 'tun.json')))
    assert.equal((await network.exec('c', ['cat', '/proc/sys/net/ipv4/conf/all/src_valid_mark'])).trim(), '0')
  }
})

describe(
  'the whole machine through a route whose exit has IPv6',
  { skip: skipWithout('root', 'nat', 'tun', 'curl') },
  () => {
    let network: TunNetwork

    before(async () => {
      network = await TunNetwork.up(BASE_PORT, { hasIPv6: true })
      await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    })
    after(async () => network[Symbol.asyncDispose]())

    test('both versions go through it, and each server sees the exit', async () => {
      assert.equal((await network.status()).tun?.ipv6, true)
      assert.equal(await network.curl('-g', `http://[${SERVER6}]:8080/`), EXIT_OUTSIDE6)
      assert.equal(await network.curl(`http://${SERVER}:8080/who`), network.exitOutside)
    })

    test('a name server of IPv6 is answered for', async () => {
      assert.equal(await network.namesByIPv6('www.test'), SERVER)
    })

    test('where something may go outside it is carried for all others as well', async () => {
      network.setClient('[vpn]', 'tun = "on"', 'tun_exclude_users = ["65534"]')
      await weft(['stop'], network.env)
      await network.startClient()
      await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
      assert.equal(await network.curl('-g', `http://[${SERVER6}]:8080/`), EXIT_OUTSIDE6)
      assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
    })

    test('private and own addresses are refused', async () => {
      for (const host of ['fd00::1', 'fe80::1', '::ffff:10.99.0.1', `${EXIT_OUTSIDE6}`])
        await assert.rejects(network.curl('-g', '--max-time', '5', `http://[${host}]:8080/`), /curl: \((7|28)\)/, host)
      assert.equal(await network.curl(`http://${SERVER}:8080/strangers`), '0')
    })
  },
)
