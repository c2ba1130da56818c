import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import { damaged } from '../../src/kill-switch/kill-switch-faults.ts'
import type { KillSwitchStatus } from '../../src/kill-switch/kill-switch.ts'
import { readKnownNodes, writeKnownNodes } from '../../src/kill-switch/known-nodes.ts'
import type { KillSwitchWatcher, WatchKillSwitch } from '../../src/kill-switch/watch-kill-switch.ts'
import { KillSwitchKeeper, type KillSwitchRestored } from '../../src/service/kill-switch-keeper.ts'
import type { OutsideAddress } from '../../src/tun/machine-rules-text.ts'

const NONE = { packets: 0, bytes: 0 }
const ON: KillSwitchStatus = {
  state: 'on',
  since: 1,
  allowLan: false,
  uid: 7,
  orderedBy: ['person'],
  nodes: 0,
  blocked: { dns: NONE, lan: NONE, ipv6: NONE, forwarded: NONE, other: NONE },
  differences: [],
  reboot: { isProtected: true, cause: '', fix: '' },
  fault: undefined,
}
const NODES: readonly OutsideAddress[] = [{ host: '192.0.2.1', port: 4_001 }]
const HOME = '/one'

/** A switch that remembers what it was told. */
function fakeSwitch() {
  const told: string[] = []
  const fake = {
    told,
    now: ON,
    looks: 0,
    isOrdered: true,
    /** How the rules stand; what puts them again mends them, unless it is broken. */
    wrong: [] as string[],
    isBroken: false,
    isOf: (home: string): boolean => home === HOME,
    renew: async (nodes: readonly OutsideAddress[], unseen?: string) => {
      if (unseen === undefined) told.push(`renew ${nodes.length}`)
      const wrong = fake.wrong
      if (!fake.isBroken) fake.wrong = []
      return wrong
    },
    setNodes: async (nodes: readonly OutsideAddress[]) => void told.push(`nodes ${nodes.length}`),
    status: async () => {
      fake.looks++
      return fake.now
    },
  }
  return fake
}

function setUp(home = HOME) {
  const directory = mkdtempSync(join(tmpdir(), 'weft-keeper-'))
  const nodesFile = join(directory, 'nodes.json')
  const [killSwitch, clock] = [fakeSwitch(), new VirtualClock()]
  const restored: KillSwitchRestored[] = []
  const watchers: KillSwitchWatcher[] = []
  let ended = 0
  const watch: WatchKillSwitch = (watcher) => {
    watchers.push(watcher)
    return () => ended++
  }
  const onRestored = (event: KillSwitchRestored): void => void restored.push(event)
  const init = { killSwitch, nodesFile, home, uid: 7, watch, onRestored, clock, logger: silentLogger }
  const make = () => new KillSwitchKeeper(init)
  return {
    killSwitch,
    clock,
    nodesFile,
    restored,
    watchers,
    ended: () => ended,
    make,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

test('a daemon puts its own switch again when it starts, with the nodes that it knew, and tells it others', async () => {
  using parts = setUp()
  writeKnownNodes(parts.nodesFile, [...NODES, { host: '2001:db8::1', port: 2 }])
  const keeper = parts.make()
  await keeper.start()
  keeper.setNodes(NODES)
  keeper.setNodes(NODES)
  keeper.setNodes([])
  await keeper.start()
  assert.deepEqual(parts.killSwitch.told, ['renew 2', 'nodes 2', 'nodes 1', 'renew 1', 'nodes 1'])
  assert.deepEqual(readKnownNodes(parts.nodesFile), NODES)
  keeper.close()
})

test('another daemon of the machine leaves it alone, and keeps its own nodes', async () => {
  using parts = setUp('/another')
  const keeper = parts.make()
  await keeper.start()
  keeper.setNodes(NODES)
  assert.deepEqual([parts.killSwitch.told, readKnownNodes(parts.nodesFile)], [[], NODES])
  keeper.close()
})

test('what the kernel says is asked for anew after half a second, and every five by itself', async () => {
  using parts = setUp()
  const { killSwitch, clock } = parts
  const keeper = parts.make()
  await keeper.start()
  // What changed before the watch began is looked at once more.
  await clock.advance(1_000)
  assert.equal(killSwitch.looks, 2)
  await keeper.status()
  assert.equal(killSwitch.looks, 2)
  killSwitch.now = { ...ON, state: 'damaged', fault: damaged(['it is gone']) }
  await clock.advance(501)
  assert.equal((await keeper.status()).state, 'damaged')
  assert.equal(keeper.fault?.code, 'E_KILL_SWITCH_DAMAGED')
  killSwitch.now = ON
  await clock.advance(5_000)
  assert.deepEqual([killSwitch.looks, keeper.fault], [4, undefined])
  keeper.close()
  await clock.advance(60_000)
  assert.deepEqual([killSwitch.looks, parts.ended()], [4, 1])
})

test('rules that somebody takes away are put again with the word of the kernel, and that is told', async () => {
  using parts = setUp()
  const { killSwitch, clock, restored, watchers } = parts
  const keeper = parts.make()
  await keeper.start()
  assert.equal((await keeper.status()).restored, undefined)
  killSwitch.wrong = ['it is gone']
  watchers[0]?.onChange()
  await clock.advance(0)
  assert.deepEqual(restored, [{ times: 1, at: clock.now(), differences: ['it is gone'] }])
  assert.deepEqual((await keeper.status()).restored, restored[0])
  // Its own rules are a change as well, and nothing to do.
  watchers[0]?.onChange()
  await clock.advance(500)
  assert.equal(restored.length, 1)
  keeper.close()
})

test('where the kernel tells nothing they are put again within a second, and the watch begins anew', async () => {
  using parts = setUp()
  const { killSwitch, clock, restored, watchers } = parts
  const keeper = parts.make()
  await keeper.start()
  watchers[0]?.onEnd()
  killSwitch.wrong = ['it is gone']
  await clock.advance(1_000)
  assert.deepEqual([restored.length, watchers.length], [1, 2])
  keeper.close()
})

test('a switch that is put on while the daemon runs is looked after from then on, and one of another home is not', async () => {
  using parts = setUp()
  const { killSwitch, clock, watchers } = parts
  killSwitch.isOrdered = false
  const other = parts.killSwitch
  const isOf = other.isOf
  other.isOf = () => false
  const keeper = parts.make()
  await keeper.start()
  await clock.advance(10_000)
  assert.equal(watchers.length, 0)
  other.isOf = isOf
  killSwitch.isOrdered = true
  await clock.advance(1_000)
  assert.equal(watchers.length, 1)
  other.isOf = () => false
  await clock.advance(1_000)
  assert.equal(parts.ended(), 1)
  keeper.close()
})

test('what takes rules away again and again is answered more and more slowly', async () => {
  using parts = setUp()
  const { killSwitch, clock, restored, watchers } = parts
  const keeper = parts.make()
  await keeper.start()
  killSwitch.isBroken = true
  killSwitch.wrong = ['it is gone']
  for (let at = 0; at < 3_000; at++) {
    watchers[0]?.onChange()
    await clock.advance(10)
  }
  assert.ok(restored.length >= 8 && restored.length < 20, `${restored.length} times in 30 s`)
  keeper.close()
  await clock.advance(60_000)
  const { length } = restored
  watchers[0]?.onChange()
  await clock.advance(60_000)
  assert.equal(restored.length, length)
})

test('a switch that lets out another user, or that cannot be seen, is named as the cause', () => {
  using parts = setUp()
  const keeper = parts.make()
  assert.equal(keeper.blocksDaemon(ON), undefined)
  assert.match(keeper.blocksDaemon({ ...ON, uid: 8 })?.cause ?? '', /the user 8, and this one runs as the user 7/)
  const unseen: KillSwitchStatus = { ...ON, state: 'unknown', uid: undefined }
  assert.match(keeper.blocksDaemon(unseen)?.cause ?? '', /may hold back/)
  parts.killSwitch.isOrdered = false
  assert.equal(keeper.blocksDaemon(unseen), undefined)
  assert.equal(keeper.blocksDaemon({ ...ON, state: 'off', uid: undefined }), undefined)
})

test('the last look names the cause by itself, within a second of its change', async () => {
  using parts = setUp('/another')
  const { killSwitch, clock } = parts
  const keeper = parts.make()
  await keeper.start()
  const codeOfCause = (): string | undefined => keeper.cause?.code
  assert.equal(codeOfCause(), undefined)
  killSwitch.now = { ...ON, uid: 8 }
  await clock.advance(1_000)
  assert.equal(codeOfCause(), 'E_KILL_SWITCH')
  killSwitch.now = ON
  await clock.advance(1_000)
  assert.equal(codeOfCause(), undefined)
  keeper.close()
})
