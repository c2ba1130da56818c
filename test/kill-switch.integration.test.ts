import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { OUTSIDE_MARK } from '../packages/vpn/src/tun/machine-rules-text.ts'
import { eventually } from './lib/eventually.ts'
import { FAR, KINDS, KillSwitchNetwork, LAN } from './lib/kill-switch-network.ts'
import { skipWithout } from './lib/needs.ts'

// All that a machine can send, watched from the other end of its wire.

const ALL = Object.keys(KINDS)
const LAN_ONLY = ALL.filter((kind) => KINDS[kind]?.reach === 'lan')
/** Packets that must have been held back while nothing was seen. */
const ENOUGH = 2_000
const RAW_SOCKETS = join(import.meta.dirname, 'lib', 'raw-sockets.ts')

describe('the kill switch', { skip: skipWithout('root', 'nat', 'curl', 'tcpdump') }, () => {
  let network: KillSwitchNetwork

  before(async () => {
    network = await KillSwitchNetwork.up()
  })
  after(async () => network[Symbol.asyncDispose]())

  test('without it each kind of packet is seen at the other end', async () => {
    assert.equal((await network.call('status')).state, 'off')
    await expectLeft(ALL)
  })

  test('put on, nothing leaves: TCP, UDP, ICMP, IPv6, names, the LAN, answers, what stood, what is forwarded', async () => {
    const status = await network.call('on')
    assert.deepEqual([status.state, status.allowLan, status.uid, status.differences], ['on', false, 0, []])
    await expectNothing()
    const { blocked } = await network.call('status')
    for (const [reason, { packets, bytes }] of Object.entries(blocked))
      assert.ok(packets > 0 && bytes >= 28 * packets, `${reason}: ${packets} packets, ${bytes} bytes`)
  })

  test('put on again it goes on counting, and nothing leaves between', async () => {
    const before = await network.blocked()
    for (let times = 0; times < 5; times++) await network.call('on')
    assert.ok((await network.blocked()) >= before)
    await expectNothing()
  })

  test('routes that somebody hands out, as by option 121 of DHCP, draw nothing out, nor do rules of routing', async () => {
    const { namespaces } = network
    for (const route of ['0.0.0.0/1', '128.0.0.0/1', `${FAR}/32`, '192.0.2.0/24'])
      namespaces.ip('c', 'route', 'add', route, 'via', LAN)
    namespaces.ip('c', '-6', 'route', 'add', '2000::/3', 'via', '2001:db8:60::1')
    namespaces.ip('c', 'route', 'add', 'default', 'via', LAN, 'table', '77')
    namespaces.ip('c', 'rule', 'add', 'priority', '5', 'table', '77')
    await expectNothing()
    namespaces.ip('c', 'rule', 'del', 'priority', '5')
    for (const route of ['0.0.0.0/1', '128.0.0.0/1', `${FAR}/32`, '192.0.2.0/24'])
      namespaces.ip('c', 'route', 'del', route)
    namespaces.ip('c', '-6', 'route', 'del', '2000::/3')
  })

  test('rules of others that accept everything, mark it, or turn it elsewhere let nothing out', async () => {
    const { namespaces } = network
    const hooks = ['output', 'forward', 'postrouting']
    const open = hooks.flatMap((hook) =>
      [-400, 0, 400].map((at) => `chain ${hook}${at + 400} { type filter hook ${hook} priority ${at}; accept\n}`),
    )
    const turned = `chain turned { type nat hook output priority -100; ip daddr ${FAR} udp dport 7000 dnat ip to 198.51.100.7\n}`
    const hidden = 'chain hidden { type nat hook postrouting priority 100; masquerade\n}'
    namespaces.nft('c', `table inet others { ${[...open, turned, hidden].join('\n')}\n}`)
    await expectNothing()
    namespaces.nft('c', 'delete table inet others')
  })

  test('a datagram with the mark of the daemon leaves, and one of another user with that mark does not', async () => {
    assert.equal(await sendMarked(), 'true')
    await network.capture.seen(/> 198\.51\.100\.1\.7777:/)
    const strip = [
      'setpriv',
      '--reuid',
      '65534',
      '--clear-groups',
      '--inh-caps',
      '+net_raw',
      '--ambient-caps',
      '+net_raw',
    ]
    assert.equal(await sendMarked(...strip), 'false')
    await expectNothing(/> 198\.51\.100\.1\.7777:/)
  })

  test('nodes are called by the user of the daemon alone', async () => {
    await network.call('on', {
      nodes: [
        { host: '198.51.100.2', port: 4_001 },
        { host: '2001:db8:7::1', port: 4_001 },
      ],
    })
    const call = async (host: string, ...by: readonly string[]): Promise<void> => {
      const words = [...by, 'curl', '-s', '-g', '--max-time', '1', `http://${host}:4001/`]
      // Nobody is there.
      await network.namespaces.exec('c', words).catch(() => {})
    }
    await call('198.51.100.2')
    await network.capture.seen(/> 198\.51\.100\.2\.4001: Flags/)
    await call('[2001:db8:7::1]')
    await network.capture.seen(/> 2001:db8:7::1\.4001: Flags/)
    await network.left()
    for (const host of ['198.51.100.2', '[2001:db8:7::1]'])
      await call(host, 'setpriv', '--reuid', '65534', '--clear-groups')
    await call('198.51.100.3')
    // What the first calls sent again is gone by now: theirs were ended.
    await expectNothing(/> (198\.51\.100\.2|2001:db8:7::1)\.4001/)
    await network.call('on')
  })

  test('with the LAN allowed what stays there leaves, but for names; taken back, it ends, also what stood', async () => {
    assert.equal((await network.call('on', { allowLan: true })).allowLan, true)
    await network.left()
    await expectLeft(LAN_ONLY)
    await network.call('on')
    await expectNothing()
  })

  test('an interface that is taken away and comes back lets nothing out', async () => {
    network.namespaces.ip('c', 'link', 'delete', 'to-n')
    await network.wire()
    await network.restartTraffic()
    await expectNothing()
  })

  test('rules that somebody flushed or changed are told at once, and packets are seen to leave; put on again, none', async () => {
    const { namespaces } = network
    namespaces.nft('c', 'flush ruleset')
    const gone = await network.call('status')
    assert.deepEqual([gone.state, gone.fault?.code], ['damaged', 'E_KILL_SWITCH_DAMAGED'])
    assert.match(gone.fault?.cause ?? '', /the whole table is gone/)
    await eventually(
      'packets',
      () => network.left(),
      ({ kinds }) => kinds.includes('udp'),
    )
    await network.call('on')
    for (const [change, how] of [
      ['insert rule inet weft_killswitch leaving accept', /chain leaving: not of the switch: accept/],
      ['flush chain inet weft_killswitch own', /chain own: missing: .*skuid/],
      ['add element inet weft_killswitch lan4 { 203.0.113.0/24 }', /set lan4: not of the switch: .*203\.0\.113\.0/],
      ['add table inet weft_killswitch { flags dormant; }', /flags dormant/],
      ['add chain inet weft_killswitch leaving { policy accept; }', /chain leaving: missing: .*policy drop/],
      ['add chain inet weft_killswitch more', /chain more is not of the switch/],
    ] as const) {
      namespaces.nft('c', change)
      const { state, differences, fault } = await network.call('status')
      assert.equal(state, 'damaged', change)
      assert.match(differences.join('\n'), how)
      assert.match(fault?.fix ?? '', /weft vpn killswitch on .*weft vpn killswitch off/)
      const mended = await network.call('on')
      assert.deepEqual([mended.state, mended.differences], ['on', []])
    }
    await network.left()
    await expectNothing()
  })

  test('rules of others that are flushed by their names leave it as it is', async () => {
    network.namespaces.nft('c', 'table inet others { chain a { type filter hook output priority 0; }\n}')
    network.namespaces.nft('c', 'delete table inet others')
    assert.equal((await network.call('status')).state, 'on')
    await expectNothing()
  })

  test('taken off, all leaves again, and nothing of it is left', async () => {
    assert.equal((await network.call('off')).state, 'off')
    await expectLeft(ALL)
    assert.equal((await network.namespaces.exec('c', ['nft', 'list', 'ruleset'])).trim(), '')
    assert.ok(!existsSync(join(network.directory, 'weft')))
    assert.deepEqual(readdirSync(join(network.directory, 'units'), { recursive: true }), ['sysinit.target.wants'])
  })

  /** Waits until each of these was seen, and makes sure that nothing else was. */
  async function expectLeft(kinds: readonly string[]): Promise<void> {
    const seen = new Set<string>()
    await eventually(
      'each kind',
      async () => {
        for (const kind of (await network.left()).kinds) seen.add(kind)
        return kinds.filter((kind) => !seen.has(kind))
      },
      (missing) => missing.length === 0,
    )
    assert.deepEqual([...seen].toSorted(), [...kinds].toSorted())
  }

  /** While many more packets are held back. @param but what is let out, or was on its way */
  async function expectNothing(but = /^$/): Promise<void> {
    // What left before it was put on.
    await network.left()
    const before = await network.blocked()
    await eventually(
      'packets that are held back',
      () => network.blocked(),
      (now) => now > before + ENOUGH,
    )
    const { kinds, others } = await network.left()
    assert.deepEqual([kinds, others.filter((line) => !but.test(line))], [[], []])
  }

  async function sendMarked(...by: readonly string[]): Promise<string> {
    const script = `import { RawSocket } from '${RAW_SOCKETS}'
      const socket = new RawSocket(4, { mark: ${OUTSIDE_MARK} })
      process.stdout.write(String(socket.send(Buffer.from('1'), '198.51.100.1', 7777)))`
    return network.namespaces.exec('c', [...by, process.execPath, '--input-type=module-typescript', '-e', script])
  }
})
