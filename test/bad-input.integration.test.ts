import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { encodeFrame, MiB } from '@weft/wire'
import { eventually } from './lib/eventually.ts'
import { leftShards } from './lib/left-shards.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { hostileBytes } from './lib/hostile-bytes.ts'
import { skipWithout } from './lib/needs.ts'
import { RawPeer } from './lib/raw-peer.ts'
import { SmallDisk } from './lib/small-disk.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { startWeft, weft, weftJson } from './lib/weft.ts'

// A network that meets bad input while it works: a full disk, a damaged one, a member that breaks the protocol, a
// daemon that is killed. What was acknowledged stays, nothing half-done does, and every error says what to do.

const BASE_PORT = 26_400
/** A piece of one segment of 16 MiB, and more than one when it is sent twice. */
const SIZE = 16_000_000
/** Shards of the one object that is stored all along: one segment, a shard at each of nine holders. */
const KEPT = 9
/** Megabytes: room for a holder's state and the shards of two or three segments. */
const SMALL = 32

interface Node {
  readonly name: string
  readonly id: string
  readonly pid: number
  readonly home: string
  readonly ports: Record<string, number>
}
interface Status {
  readonly node: { readonly pid: number }
  readonly network: { readonly id: string }
  readonly admission: { readonly state: string; readonly inMap?: boolean }
  readonly peers: { readonly connected: number; readonly total: number }
  readonly storage: { readonly shards: number }
  readonly resources: { readonly rssBytes: number }
  readonly faults: readonly { readonly code: string; readonly cause: string; readonly fix: string }[]
}

describe('a devnet that meets bad input', { skip: skipWithout('root') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bad-'))
  const net = join(directory, 'net')
  const file = join(directory, 'file.bin')
  const content = randomBytes(SIZE)
  const hash = sha256(content)
  const client = { WEFT_HOME: join(net, 'client') }
  const client2 = { WEFT_HOME: join(net, 'client2') }
  const disks = new Map<string, SmallDisk>()
  let nodes: readonly Node[]
  let ref: string

  const node = (name: string): Node => nodes.find((one) => one.name === name) ?? assert.fail(`no node ${name}`)
  const status = (name: string): Promise<Status> => weftJson<Status>(['status'], { WEFT_HOME: join(net, name) })
  const members = (): string[] =>
    nodes.map(({ name }) => name).filter((name) => /^(validator|storage|exit1)/.test(name))
  const held = async (): Promise<number> => {
    const all = await Promise.all(members().map((name) => status(name)))
    const shards = all.reduce((sum, { storage }) => sum + storage.shards, 0)
    return shards - leftShards(members().map((name) => join(net, name)))
  }
  const restart = (name: string): ReturnType<typeof weft> => weft(['devnet', 'restart', name, '--dir', net])

  before(async () => {
    writeFileSync(file, content)
    for (const name of ['storage1', 'client2']) disks.set(name, new SmallDisk(join(net, name), SMALL))
    // The rest of a large disk is kept free by default, and this one is small.
    writeFileSync(join(net, 'storage1', 'weft.toml'), '[storage]\nreserve = "0"\n')
    // Streams that a peer breaks are logged at debug.
    mkdirSync(join(net, 'storage4'), { mode: 0o700 })
    writeFileSync(join(net, 'storage4', 'weft.toml'), '[log]\nlevel = "debug"\n')
    ;({ nodes } = await upDevnet<{ nodes: Node[] }>({ dir: net, basePort: BASE_PORT, seed: 'bad-input' }))
    // Nine members store: each of them holds a shard of every segment of class tiny. The tenth's place is for a test.
    assert.equal((await weft(['devnet', 'kill', 'exit2', '--dir', net])).code, 0)
    for (const name of ['client', 'client2']) {
      await eventually(
        'the loss is seen',
        () => status(name),
        ({ peers }) => peers.connected === 9,
      )
    }
    ;({ ref } = await weftJson<{ ref: string }>(['put', file, '--class', 'tiny'], client))
    // A validator notes a shard that it left behind the holder: one look alone may come in between.
    await eventually('its shards are held', held, (shards) => shards === KEPT)
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    for (const disk of disks.values()) disk[Symbol.dispose]()
    rmSync(directory, { recursive: true })
  })

  test('a holder whose disk fills in the middle of a put: the put fails clearly and leaves nothing', async () => {
    const disk = disks.get('storage1') ?? assert.fail()
    const { child, finished } = startWeft(['put', '-', '--class', 'tiny'], client)
    child.stdin?.on('error', () => {})
    child.stdin?.write(Buffer.concat([content, content.subarray(0, 1_000_000)]))
    await eventually('the first segment is with its holders', held, (shards) => shards === KEPT + 9)
    disk.fill()
    child.stdin?.end(content)
    const { code, stderr } = await finished
    assert.equal(code, 1, stderr)
    const short = node('storage1').id.slice(-8)
    assert.match(
      stderr,
      new RegExp(`E_DISK_FULL: ${short} answered: The holder cannot take the shard: .* room for 0 bytes`),
    )
    assertFix(stderr)
    // A full disk cannot even note what is to go from it: that follows when there is room.
    await eventually('nothing of it stays elsewhere', held, (shards) => shards <= KEPT + 1)
    assert.deepEqual(readdirSync(join(net, 'storage1', 'storage', 'shards', 'large', 'new')), [])

    // The daemon lives and says how it does; what was acknowledged is there, also with it.
    const sick = await status('storage1')
    assert.equal(sick.node.pid, node('storage1').pid)
    for (const fault of sick.faults)
      assert.match(`${fault.code}: ${fault.cause} ${fault.fix}`, /E_(DISK_FULL|LOG_DROPPED): .*\..* .*/)
    assert.ok(sick.faults.some(({ code: fault }) => fault === 'E_DISK_FULL'))
    assert.equal((await fetch(`http://127.0.0.1:${node('storage1').ports['api']}/readyz`)).status, 503)
    assert.equal(await fetched(client), hash)

    disk.empty()
    await eventually(
      'it is healthy again',
      () => status('storage1'),
      ({ faults }) => faults.length === 0,
    )
    await eventually('nothing of it stays', held, (shards) => shards === KEPT)
    assert.equal((await fetch(`http://127.0.0.1:${node('storage1').ports['api']}/readyz`)).status, 200)
    for (const line of readFileSync(join(net, 'storage1', 'logs', 'daemon.log'), 'utf8').split('\n')) {
      assert.doesNotMatch(line, /\}\{/)
    }
    assert.deepEqual(await names(client), ['file.bin'])
  })

  test('a client on a full disk reads, and its put is refused before it begins', async () => {
    const disk = disks.get('client2') ?? assert.fail()
    disk.fill()
    const put = await weft(['put', file, '--class', 'tiny'], client2)
    assert.match(
      put.stderr,
      /E_DISK_FULL: The disk of the state directory \S+client2 has \d+ bytes left; \d+ are needed/,
    )
    assertFix(put.stderr)
    assert.equal(put.code, 1)
    await eventually('nothing of it is anywhere', held, (shards) => shards === KEPT)
    assert.equal(await fetched(client2), hash)
    assert.deepEqual(
      (await status('client2')).faults.map(({ code }) => code).filter((code) => code !== 'E_LOG_DROPPED'),
      ['E_DISK_FULL'],
    )
    disk.empty()
    await eventually(
      'it is healthy again',
      () => status('client2'),
      ({ faults }) => faults.length === 0,
    )
  })

  test('a get onto a small disk says how much it needs and leaves no file', async () => {
    using disk = new SmallDisk(join(directory, 'small'), 4)
    const target = join(disk.path, 'file.bin')
    const { code, stderr } = await weft(['get', ref, '-o', target], client)
    assert.match(
      stderr,
      new RegExp(`E_DISK_FULL: The disk of ${target} has \\d+ bytes left; the file needs ${SIZE}\\.`),
    )
    assertFix(stderr)
    assert.equal(code, 1)
    assert.deepEqual(readdirSync(disk.path), [])
  })

  test('a client that is killed in the middle of a put: the put fails, and nothing of it comes back', async () => {
    const { child, finished } = startWeft(['put', '-', '--class', 'tiny', '--name', 'half'], client)
    child.stdin?.on('error', () => {})
    child.stdin?.write(Buffer.concat([content, content.subarray(0, 1_000_000)]))
    await eventually('the first segment is with its holders', held, (shards) => shards === KEPT + 9)
    process.kill((await status('client')).node.pid, 'SIGKILL')
    const { code, stderr } = await finished
    assert.match(stderr, /E_DAEMON_(GONE|NOT_RUNNING|LOST)|E_[A-Z_]+: /)
    assertFix(stderr)
    assert.notEqual(code, 0)
    // A holder killed in the same put comes back with what it had acknowledged of others, and without this.
    process.kill(node('storage3').pid, 'SIGKILL')
    for (const name of ['storage3', 'client']) assert.equal((await restart(name)).code, 0)
    assert.deepEqual(await names(client), ['file.bin'])
    await eventually('its shards are dropped', held, (shards) => shards === KEPT)
    await connected('client')
    assert.equal(await fetched(client), hash)
  })

  const damage = async (database: string): Promise<string> => {
    const path = join(net, 'storage2', database)
    assert.equal((await weft(['stop'], { WEFT_HOME: join(net, 'storage2') })).code, 0)
    const bytes = openSync(path, 'r+')
    writeSync(bytes, 'this is no database, sorry')
    closeSync(bytes)
    return path
  }
  const isBack = async (): Promise<void> => {
    await eventually(
      'it is a member',
      () => status('storage2'),
      ({ admission }) => admission.inMap === true,
    )
    await connected('client')
    assert.equal(await fetched(client), hash)
  }

  test('a holder whose list of members is damaged says so, and starts without it', async () => {
    const path = await damage('overlay/membership.sqlite')
    const { code, stderr } = await restart('storage2')
    assert.match(
      stderr,
      /E_DEVNET_NODE_DIED: storage2 ended with exit code 1 .*E_STATE_CORRUPT: .*membership.sqlite.* not a database/,
    )
    assert.match(stderr, /Fix: .*(move the file away|remove it)/)
    assert.equal(code, 1)
    rmSync(path)
    assert.equal((await restart('storage2')).code, 0)
    await isBack()
  })

  test('a holder whose index of shards is damaged makes it anew from them, and has them all', async () => {
    const path = await damage('storage/shards/index.sqlite')
    assert.equal((await restart('storage2')).code, 0)
    assert.equal(existsSync(`${path}.damaged`), true)
    await isBack()
    await eventually('its shards are there', held, (shards) => shards === KEPT)
  })

  test('a member that breaks the protocol is refused by name, and the node goes on', async () => {
    const [home, target] = [join(net, 'exit2'), node('storage4')]
    const before_ = await status('storage4')
    const networkId = before_.network.id
    const options = { home, networkId, target: { id: target.id, port: target.ports['overlay'] ?? 0 } }
    await using peer = await RawPeer.connect(options)
    for (const { name, protocol, send, expected } of hostileBytes()) {
      const { frames, state } = await peer[protocol](...send)
      const codes = frames.map(({ body }) => (body.case === 'fault' ? body.value.code : body.case))
      assert.deepEqual({ name, codes, state: expected.state && state }, { name, ...expected })
      for (const { body } of frames) {
        if (body.case === 'fault') assert.ok(body.value.cause.length > 10 && body.value.fix.length > 10, name)
      }
    }
    for (const protocol of [`/weft/${networkId}/rpc/2`, `/weft/${networkId}/shard/2`, '/weft/other/rpc/1']) {
      await assert.rejects(peer.open(protocol), { name: 'UnsupportedProtocolError' }, protocol)
    }
    // 64 MiB of a frame that is within the limit of the protocol and above that of this caller.
    const endless = [
      encodeFrame(new Uint8Array(4 * MiB)).subarray(0, MiB),
      ...Array.from({ length: 63 }, () => new Uint8Array(MiB)),
    ]
    for (let round = 0; round < 4; round++) {
      assert.equal((await peer.rpc(...endless)).state, 'reset')
    }
    const after_ = await status('storage4')
    assert.equal(after_.node.pid, before_.node.pid)
    assert.ok(after_.resources.rssBytes < before_.resources.rssBytes + 64 * MiB, `${after_.resources.rssBytes} bytes`)
    assert.deepEqual([after_.faults, after_.storage.shards], [before_.faults, before_.storage.shards])
    const log = readFileSync(join(target.home, 'logs', 'daemon.log'), 'utf8')
    for (const code of ['E_FRAME_TOO_LARGE', 'E_FRAME_TRUNCATED', 'E_MESSAGE_[A-Z_]+'])
      assert.match(log, new RegExp(`"${code}"`))
    assert.equal(await fetched(client), hash)
  })

  async function fetched(env: Record<string, string>): Promise<string> {
    const out = join(directory, 'fetched')
    mkdirSync(out)
    try {
      const { code, stderr } = await weft(['get', ref, '-o', join(out, 'file')], env)
      assert.equal(code, 0, stderr)
      return sha256(readFileSync(join(out, 'file')))
    } finally {
      rmSync(out, { recursive: true })
    }
  }

  /** Every living member can be reached from a node. */
  function connected(name: string): Promise<Status> {
    return eventually(
      'all are connected',
      () => status(name),
      ({ peers }) => peers.connected === 9,
    )
  }

  async function names(env: Record<string, string>): Promise<string[]> {
    const { objects } = await weftJson<{ objects: { name: string }[] }>(['ls'], env)
    return objects.map(({ name }) => name)
  }
})

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Every error says what to do. */
function assertFix(stderr: string): void {
  assert.match(stderr, /Fix: \S+ \S+/)
  assert.doesNotMatch(stderr, /E_INTERNAL|\n\s+at /)
}
