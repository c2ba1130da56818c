import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startScriptIn } from '../bench/lib/daemon-in-namespace.ts'
import { skipWithout } from './lib/needs.ts'
import { NOWHERE, TunNetwork } from './lib/tun-network.ts'
import { weft, weftJson } from './lib/weft.ts'

// Programs of some users and cgroups beside the tunnel of the whole machine, or alone through it.

const BASE_PORT = 26_550
const NEIGHBOUR = join(import.meta.dirname, 'lib', 'tun-neighbour-target.ts')
const LAN6 = 'fd60::1'
const OWN = '10.60.0.2'
const OWN6 = 'fd60::2'
const NOBODY = '65534'
/** No user of the machine: a number is enough. */
const SOMEBODY = '4242'
const CGROUP = `/weft-test-${process.pid}`
/** A process in a namespace of `ip` has no cgroups mounted. */
const WITH_CGROUPS = ['sh', '-c', 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"', 'sh']

/** Counts what root, who also runs the daemon, sends to the neighbour and to the name server there. */
const WATCH = `
table inet watch {
  counter leaked {}
  chain out {
    type filter hook postrouting priority 300
    oifname "to-n" meta skuid 0 ip daddr { 10.60.0.1, ${NOWHERE} } counter name leaked
    oifname "to-n" meta skuid 0 ip6 daddr ${LAN6} meta l4proto { tcp, udp } counter name leaked
  }
}
`

describe('a tunnel for some programs', { skip: skipWithout('root', 'nat', 'tun', 'curl', 'cgroup2') }, () => {
  let network: TunNetwork
  const stack = new AsyncDisposableStack()

  before(async () => {
    network = stack.use(await TunNetwork.up(BASE_PORT, { oneExit: true }))
    await network.exec('c', ['ip', 'address', 'add', `${OWN6}/64`, 'dev', 'to-n', 'nodad'])
    await network.exec('n', ['ip', 'address', 'add', `${LAN6}/64`, 'dev', 'to-c', 'nodad'])
    await network.exec('n', ['ip', 'address', 'add', `${NOWHERE}/32`, 'dev', 'lo'])
    stack.use(await startScriptIn(network.namespace('n'), [NEIGHBOUR, network.lan, LAN6, NOWHERE]))
    await inCgroups('mkdir', '-p', `/sys/fs/cgroup${CGROUP}/below`, `/sys/fs/cgroup${CGROUP}-other`)
    stack.defer(async () => {
      const all = [`${CGROUP}/below`, CGROUP, `${CGROUP}-other`]
      await inCgroups('rmdir', ...all.map((path) => `/sys/fs/cgroup${path}`))
    })
    execFileSync('ip', ['netns', 'exec', network.namespace('c'), 'nft', '-f', '-'], { input: WATCH, stdio: 'pipe' })
  })
  after(async () => stack[Symbol.asyncDispose]())

  const inCgroups = (...words: readonly string[]): Promise<string> => network.exec('c', [...WITH_CGROUPS, ...words])

  const CURL = ['curl', '-sS', '-g', '--fail', '--max-time', '10']

  const as = (user: string, ...words: readonly string[]): Promise<string> =>
    network.exec('c', ['setpriv', '--reuid', user, '--clear-groups', ...CURL, ...words])

  const within = (cgroup: string, ...words: readonly string[]): Promise<string> => {
    const enter = `echo $$ > /sys/fs/cgroup${cgroup}/cgroup.procs && exec setpriv --reuid ${SOMEBODY} --clear-groups "$@"`
    return inCgroups('sh', '-c', enter, 'sh', ...CURL, ...words)
  }

  const up = async (...lines: readonly string[]): Promise<void> => {
    network.setClient('[vpn]', 'tun = "on"', ...lines)
    await weft(['stop'], network.env)
    await network.startClient(...WITH_CGROUPS)
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
  }

  const leaked = async (): Promise<number> => {
    const text = await network.exec('c', ['nft', 'list', 'counter', 'inet', 'watch', 'leaked'])
    return Number(/packets (\d+)/.exec(text)?.[1])
  }

  const here = (): string => `http://${network.lan}:8081/`
  const here6 = `http://[${LAN6}]:8081/`
  const byName = 'http://www.test:8081/'
  const beyond = 'http://www.test:8080/who'

  describe('excluded', () => {
    before(() => up('tun_exclude_users = ["nobody"]', `tun_exclude_cgroups = ["${CGROUP}"]`))

    test('a user goes outside: by address, by name, and by IPv6, which the exit has not', async () => {
      assert.equal(await as(NOBODY, here()), OWN)
      assert.equal(await as(NOBODY, byName), OWN)
      assert.equal(await as(NOBODY, here6), OWN6)
      assert.equal(await as(NOBODY, '--interface', 'to-n', here()), OWN)
    })

    test('a cgroup does, and one below it', async () => {
      for (const cgroup of [CGROUP, `${CGROUP}/below`]) {
        assert.equal(await within(cgroup, here()), OWN)
        assert.equal(await within(cgroup, byName), OWN)
        assert.equal(await within(cgroup, here6), OWN6)
      }
    })

    test('all others go through the tunnel, and what it does not carry is told at once', async () => {
      assert.equal(await network.curl(beyond), network.exitOutside)
      assert.equal(await as(SOMEBODY, beyond), network.exitOutside)
      assert.equal(await within(`${CGROUP}-other`, beyond), network.exitOutside)
      for (const run of [(url: string) => as('0', url), (url: string) => within(`${CGROUP}-other`, url)]) {
        await assert.rejects(run(here()), /curl: \(7\)/)
        await assert.rejects(run(here6), /curl: \(7\)/)
      }
      await assert.rejects(as('0', '--max-time', '3', '--interface', 'to-n', here()), /curl: \((7|28)\)/)
      assert.equal(await leaked(), 0)
    })

    test('while the daemon is dead they go outside still, and nobody else', async () => {
      await network.kill('client')
      assert.equal(await as(NOBODY, here()), OWN)
      assert.equal(await within(CGROUP, byName), OWN)
      await assert.rejects(as('0', '--max-time', '3', here()), /curl: \((7|28)\)/)
      await assert.rejects(as(SOMEBODY, '--max-time', '3', here6), /curl: \((7|28)\)/)
      await assert.rejects(as('0', '--max-time', '3', byName), /curl: \((6|28)\)/)
      assert.equal(await leaked(), 0)
      await network.startClient(...WITH_CGROUPS)
    })
  })

  describe('included', () => {
    before(() => up(`tun_include_users = ["${NOBODY}"]`, `tun_include_cgroups = ["${CGROUP}"]`))

    test('they alone go through the tunnel, with their names', async () => {
      assert.equal(await as(NOBODY, beyond), network.exitOutside)
      assert.equal(await within(`${CGROUP}/below`, beyond), network.exitOutside)
      await assert.rejects(as(NOBODY, here()), /curl: \(7\)/)
      await assert.rejects(within(CGROUP, here6), /curl: \(7\)/)
    })

    test('all others go outside, with theirs', async () => {
      for (const url of [here(), byName]) {
        assert.equal(await as(SOMEBODY, url), OWN)
        assert.equal(await within(`${CGROUP}-other`, url), OWN)
      }
      assert.equal(await as(SOMEBODY, here6), OWN6)
    })
  })

  for (const [name, line, expected] of [
    ['a user', 'tun_exclude_users = ["no-such-user"]', /vpn\.tun_exclude_users names no-such-user, a user/],
    ['a cgroup', 'tun_include_cgroups = ["/not/there"]', /vpn\.tun_include_cgroups names \/not\/there, a cgroup/],
  ] as const)
    test(`${name} that this machine has not is named with its setting, and no rule is put`, async () => {
      await assert.rejects(up(line), (error: Error) => {
        assert.match(error.message, /E_TUN_SPLIT/)
        assert.match(error.message, expected)
        return true
      })
      assert.ok(!(await network.rules()).tables.includes('weft'))
    })
})
