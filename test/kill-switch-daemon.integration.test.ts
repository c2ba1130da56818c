import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Capture } from './lib/capture.ts'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { NOWHERE, SERVER, TunNetwork } from './lib/tun-network.ts'
import { type Finished, weft, weftJson } from './lib/weft.ts'

// The kill switch and a daemon: what goes on while it is on, and what is said of it.

const BASE_PORT = 27_600
const LAN = '10.60.0.1'
const NOBODY = 65_534

interface Status {
  readonly state: string
  readonly fault?: { readonly code: string; readonly cause: string; readonly fix: string }
  readonly proxy?: { readonly port: number }
  readonly tun?: { readonly state: string }
  readonly killSwitch: {
    readonly state: string
    readonly allowLan?: boolean
    readonly orderedBy: readonly string[]
    readonly restored?: { readonly times: number; readonly differences: readonly string[] }
    readonly nodes: number
    readonly reboot: { readonly isProtected: boolean; readonly cause: string; readonly fix: string }
    readonly fault?: { readonly code: string; readonly cause: string; readonly fix: string }
  }
}

const hasSwitch = (tables: string): boolean => tables.includes('weft_killswitch')

describe('a daemon under the kill switch', { skip: skipWithout('root', 'nat', 'tun', 'curl', 'tcpdump') }, () => {
  let network: TunNetwork
  let capture: Capture
  let by: readonly string[]

  before(async () => {
    network = await TunNetwork.up(BASE_PORT, { oneExit: true })
    const etc = network.home('etc')
    execFileSync('cp', ['-a', '/etc', etc])
    writeFileSync(join(etc, 'resolv.conf'), `nameserver ${NOWHERE}\n`)
    by = ['sh', '-c', `mount --bind ${etc} /etc && exec "$@"`, 'sh']
    // It keeps where its nodes are.
    await eventually('its nodes', async () => existsSync(join(network.home('client'), 'nodes.json')), Boolean)
    await weft(['stop'], network.env)
    capture = await Capture.open(network.namespace('n'), 'to-c', `ip dst host ${LAN} or ip dst host ${SERVER}`)
  })
  after(async () => {
    await capture[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
  })

  test('it is put on without a daemon, and the next one finds its nodes, a route and the tunnel', async () => {
    const on = await killSwitch('on')
    assert.equal(on.code, 0, on.stderr)
    assert.match(
      on.stdout,
      /^kill switch on: .*\n(.*\n)*  reboot      not protected: This machine is not run by systemd/,
    )
    await expectShut()
    await network.startClient(...by)
    const { tun, killSwitch: told } = await up('--tun')
    assert.deepEqual([tun?.state, told.state, told.allowLan], ['open', 'on', false])
    assert.equal(await network.curl(`http://${SERVER}:8080/who`), network.exitOutside)
    assert.equal(await network.curl('http://www.test:8080/who'), network.exitOutside)
  })

  test('down leaves it on, and says so with how to unblock; the proxy works without the tunnel', async () => {
    const { stdout } = await weft(['vpn', 'down'], network.env)
    assert.match(stdout, /kill switch on: .*\n.*weft vpn killswitch off/)
    await expectShut()
    const { proxy } = await up()
    const words = ['--proxy', `socks5h://127.0.0.1:${proxy?.port}`]
    assert.equal(await network.curl(...words, 'http://www.test:8080/who'), network.exitOutside)
    await expectShut()
    const told = await weft(['vpn', 'status'], network.env)
    assert.match(
      told.stdout,
      /\n  kill switch on: nothing leaves but through the tunnel; \d+ packets? blocked; gone with a reboot\n/,
    )
  })

  test('killed and stopped it stays; a status without a daemon reads the kernel', async () => {
    await network.kill('client')
    await expectShut()
    await network.startClient(...by)
    await weft(['stop'], network.env)
    await expectShut()
    const { code, stdout } = await killSwitch('status', '--json')
    const told = JSON.parse(stdout) as Status['killSwitch'] & { readonly schemaVersion: number }
    assert.deepEqual([code, told.schemaVersion, told.state, told.fault?.code], [0, 1, 'on', 'E_KILL_SWITCH'])
    assert.match(told.fault?.fix ?? '', /weft vpn killswitch off/)
  })

  test('after a start of the machine, with the rules that were kept for it, the daemon finds its nodes', async () => {
    await network.exec('c', ['nft', 'flush', 'ruleset'])
    await network.exec('c', ['nft', '-f', join(network.home('etc'), 'weft', 'killswitch.nft')])
    await expectShut()
    await network.startClient(...by)
    await up()
    await weft(['stop'], network.env)
  })

  test('rules that were flushed while the daemon was stopped are put again before it does anything', async () => {
    await network.exec('c', ['nft', 'flush', 'ruleset'])
    const damaged = await killSwitch('status')
    assert.equal(damaged.code, 7)
    assert.match(damaged.stderr, /^E_KILL_SWITCH_DAMAGED: .*the whole table is gone.*\nFix: .*weft vpn killswitch on/)
    await network.startClient(...by)
    assert.equal((await status()).killSwitch.state, 'on')
    await expectShut()
  })

  test('rules that somebody flushes or changes while the daemon runs it puts again itself, and tells that', async (t) => {
    await up('--tun')
    const nft = async (change: string): Promise<Status['killSwitch']> => {
      const { restored } = (await status()).killSwitch
      const began = performance.now()
      await network.exec('c', ['nft', ...change.split(' ')])
      await eventually('the rules', tables, hasSwitch)
      t.diagnostic(`${change}: there again after ${Math.round(performance.now() - began)} ms`)
      const told = await eventually(
        'the word of it',
        async () => (await status()).killSwitch,
        (now) => (now.restored?.times ?? 0) > (restored?.times ?? 0),
      )
      assert.deepEqual([told.state, told.fault?.code], ['on', 'E_KILL_SWITCH'])
      return told
    }
    assert.match((await nft('flush ruleset')).restored?.differences.join() ?? '', /the whole table is gone/)
    assert.match((await nft('delete table inet weft_killswitch')).restored?.differences.join() ?? '', /table is gone/)
    const changed = await nft('insert rule inet weft_killswitch leaving accept')
    assert.match(changed.restored?.differences.join() ?? '', /chain leaving: not of the switch: accept/)
    await weft(['vpn', 'down'], network.env)
    await expectShut()
    const said = await weft(['vpn', 'status'], network.env)
    assert.match(said.stdout, /kill switch on: .*; rules put again \d+ times?\n/)
    assert.match(readFileSync(join(network.home('client'), 'logs', 'daemon.log'), 'utf8'), /they are there again/)
  })

  test('taken off by a person while the daemon runs it stays off, and put on it is looked after again', async () => {
    const { restored } = (await status()).killSwitch
    assert.equal((await killSwitch('off')).code, 0)
    // The daemon has looked since: it knows that there is nothing to do.
    await network.exec('c', ['nft', 'add', 'table', 'inet', 'others'])
    // What it tells is half a second old at most.
    await eventually(
      'that it is off',
      async () => (await status()).killSwitch.state,
      (state) => state === 'off',
    )
    assert.equal(hasSwitch(await tables()), false)
    assert.equal((await killSwitch('on')).code, 0)
    await network.exec('c', ['nft', 'flush', 'ruleset'])
    const told = await eventually(
      'the rules',
      async () => (await status()).killSwitch,
      ({ state, restored: now }) => state === 'on' && now?.times !== restored?.times,
    )
    assert.equal(told.restored?.times, (restored?.times ?? 0) + 1)
    assert.equal((await killSwitch('off')).code, 0)
    assert.equal(hasSwitch(await tables()), false)
  })

  test('a profile puts it on when it is used, and another one takes it off; what a person put on stays', async () => {
    const profile = (...words: readonly string[]): Promise<Finished> =>
      network.weftThere(['vpn', 'profile', ...words], ...by)
    const orders = async (): Promise<readonly unknown[]> => {
      const { code, stdout } = await killSwitch('status', '--json')
      const { state, allowLan, orderedBy } = JSON.parse(stdout) as Status['killSwitch']
      return [code, state, allowLan, orderedBy]
    }
    const OFF = [0, 'off', undefined, []]
    const ON = [0, 'on', false, ['profile']]
    assert.equal((await profile('create', 'shut', '--kill-switch', 'on')).code, 0)
    assert.equal((await profile('create', 'lan', '--kill-switch', 'allow-lan')).code, 0)
    assert.deepEqual(await orders(), OFF)
    // With a daemon, which runs as root here.
    assert.equal((await profile('use', 'shut')).code, 0)
    assert.deepEqual(await orders(), ON)
    await expectShut()
    await weft(['vpn', 'down'], network.env)
    assert.deepEqual(await orders(), ON)
    assert.equal((await profile('delete', 'shut')).code, 1)
    assert.equal((await profile('use', 'lan')).code, 0)
    assert.deepEqual(await orders(), [0, 'on', true, ['profile']])
    assert.equal((await profile('set', 'lan', '--kill-switch', 'on')).code, 0)
    assert.deepEqual(await orders(), ON)
    // Taken off by hand it comes back with the next up.
    assert.equal((await killSwitch('off')).code, 0)
    assert.deepEqual(await orders(), OFF)
    await up()
    assert.deepEqual(await orders(), ON)
    assert.equal((await profile('set', 'lan', '--kill-switch', 'off')).code, 0)
    assert.deepEqual(await orders(), OFF)
    // Without a daemon, by the same file.
    await weft(['stop'], network.env)
    assert.equal((await profile('use', 'shut')).code, 0)
    assert.deepEqual(await orders(), ON)
    await expectShut()
    assert.equal((await killSwitch('on')).code, 0)
    assert.equal((await profile('use', 'default')).code, 0)
    assert.deepEqual(await orders(), [0, 'on', false, ['person']])
    assert.equal((await profile('delete', 'shut')).code, 0)
    assert.equal((await profile('delete', 'lan')).code, 0)
    await expectShut()
  })

  test('what the person excluded from the tunnel leaves while the tunnel is up, and no longer', async () => {
    network.setClient('[vpn]', `tun_exclude = ["${LAN}/32"]`)
    await network.startClient(...by)
    await up('--tun')
    await assert.rejects(network.curl('--max-time', '5', `http://${LAN}:9/`), /curl: \(7\)/)
    await weft(['vpn', 'down'], network.env)
    await expectShut()
    await weft(['stop'], network.env)
    network.setClient()
  })

  test('who calls this machine is not answered while the tunnel is up, but on the LAN where that is allowed', async () => {
    await network.startClient(...by)
    await up('--tun')
    const listen = `require('node:http').createServer((_, response) => response.end('here')).listen(9090, '10.60.0.2', () => console.log('up'))`
    const server = spawn('ip', ['netns', 'exec', network.namespace('c'), process.execPath, '-e', listen])
    await once(server.stdout, 'data')
    const ask = (): Promise<string> => network.exec('n', ['curl', '-sS', '--max-time', '2', 'http://10.60.0.2:9090/'])
    await assert.rejects(ask(), /curl: \(28\)/)
    assert.equal((await killSwitch('on', '--allow-lan')).code, 0)
    assert.equal(await ask(), 'here')
    assert.equal((await killSwitch('on')).code, 0)
    await assert.rejects(ask(), /curl: \(28\)/)
    server.kill('SIGKILL')
    await once(server, 'exit')
    await weft(['stop'], network.env)
  })

  test('a daemon of another user than the one it lets out says at once that the switch is the cause', async () => {
    const other = network.home('other')
    mkdirSync(other)
    execFileSync('chown', [`${NOBODY}:${NOBODY}`, other])
    assert.equal((await killSwitch('on', '--home', other)).code, 0)
    await network.startClient(...by)
    await weft(['vpn', 'up'], network.env)
    // With the first answer: nothing has to time out before.
    const { state, fault } = await status()
    assert.equal(fault?.code, 'E_KILL_SWITCH')
    assert.equal(state, 'blocked')
    assert.match(fault?.cause ?? '', /lets out the daemon of the user 65534, and this one runs as the user 0/)
    assert.match(fault?.fix ?? '', /weft vpn killswitch on .*weft vpn killswitch off/)
    await weft(['stop'], network.env)
  })

  test('a daemon without rights reaches its nodes by their addresses, and nothing else of its user leaves but to them', async () => {
    const home = network.home('client')
    cpSync(home, network.home('plain'), { recursive: true, filter: (source) => !source.endsWith('.sock') })
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, network.home('plain')])
    execFileSync('chmod', ['755', join(network.home('plain'), '..')])
    assert.equal((await killSwitch('on', '--home', network.home('plain'))).code, 0)
    const plain = ['setpriv', '--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups']
    await network.startOther('plain', ...by, ...plain)
    const env = { WEFT_HOME: network.home('plain') }
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], env)
    const told = await weftJson<Status>(['vpn', 'status'], env)
    assert.deepEqual([told.state, told.killSwitch.state], ['connected', 'unknown'])
    await expectShut(...plain)
    await weft(['vpn', 'profile', 'create', 'shut', '--kill-switch', 'on'], env)
    const refused = await weft(['vpn', 'profile', 'use', 'shut'], env)
    assert.equal(refused.code, 4)
    assert.match(
      refused.stderr,
      /^E_KILL_SWITCH_RIGHTS: .*\nFix: .*Run the daemon of this home as root; or .*killswitch on/,
    )
    await weft(['stop'], env)
  })

  test('taken off, all leaves again, and nothing is left of it', async () => {
    assert.equal((await killSwitch('off')).code, 0)
    await assert.rejects(network.curl('--max-time', '5', `http://${LAN}:9/`), /curl: \(7\)/)
    assert.ok(!existsSync(join(network.home('etc'), 'weft')))
    assert.ok(!(await network.rules()).tables.includes('weft'))
  })

  function killSwitch(...words: readonly string[]): Promise<Finished> {
    return network.weftThere(['vpn', 'killswitch', ...words], ...by)
  }

  function tables(): Promise<string> {
    return network.exec('c', ['nft', 'list', 'tables'])
  }

  function status(): Promise<Status> {
    return weftJson<Status>(['vpn', 'status'], network.env)
  }

  async function up(...words: readonly string[]): Promise<Status> {
    await weftJson(['vpn', 'up', ...words, '--wait', '--timeout', '60s'], network.env)
    return status()
  }

  /** Neither to the LAN nor beyond it. @param as words of a program that runs the one that tries */
  async function expectShut(...as: readonly string[]): Promise<void> {
    capture.lines.splice(0)
    for (const host of [LAN, SERVER]) {
      const words = [...as, 'curl', '-sS', '--max-time', '1', `http://${host}:9/`]
      await assert.rejects(network.exec('c', words), /curl: \((7|28)\)/)
    }
    // What a client of DHCP sends shows that all before it was seen.
    const script = `const s = require('node:dgram').createSocket('udp4'); s.bind(68, () => s.send('1', 67, '${LAN}', () => s.close()))`
    await network.exec('c', [process.execPath, '-e', script])
    await capture.seen(/\.68 > 10\.60\.0\.1\.67: /)
    assert.deepEqual(
      capture.lines.filter((line) => !line.includes('.68 > ')),
      [],
    )
  }
})
