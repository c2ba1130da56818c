import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { skipWithout } from './lib/needs.ts'
import { runTool } from './lib/run-tool.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { startWeft, weft, weftJson } from './lib/weft.ts'

// Objects go over routes to holders that do not learn who puts and gets them, in a network that logs all it can.

const BASE_PORT = 21_000
const SIZE = 10_000_000
/** Far less than what an object takes, and more than pings and maps of some seconds do, bytes. */
const IDLE_BYTES = 3_000_000

interface Node {
  readonly name: string
  readonly id: string
  readonly pid: number
  readonly home: string
}
interface Up {
  readonly nodes: readonly Node[]
}
interface Stored {
  readonly ref: string
  readonly private: boolean
}
interface Stat {
  readonly health: string
  readonly segments: readonly { readonly shards: readonly { readonly node: string }[] }[]
}
interface Vpn {
  readonly services: {
    readonly routes: number
    readonly streams: number
    readonly sentBytes: number
    readonly receivedBytes: number
  }
  readonly carried?: { readonly memberStreams: number; readonly memberStreamsOpened: number }
}

describe('private put and get in a devnet of twelve nodes', { skip: skipWithout('ss') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-private-'))
  const net = join(directory, 'net')
  const env = { WEFT_HOME: join(net, 'client') }
  const file = join(directory, 'file.bin')
  const back = join(directory, 'back.bin')
  const content = randomBytes(SIZE)
  let up: Up
  let client: Node

  const members = (): readonly Node[] => up.nodes.filter(({ name }) => !name.startsWith('client'))
  const vpn = (home: string): Promise<Vpn> => weftJson<Vpn>(['vpn', 'status'], { WEFT_HOME: home })
  /** Connections to members that all last hops together have made for clients. */
  const led = async (): Promise<number> => {
    const all = await Promise.all(members().map(({ home }) => vpn(home)))
    return all.reduce((sum, { carried }) => sum + (carried?.memberStreamsOpened ?? 0), 0)
  }
  /** Who has begun a stream of shards at which holder, by the end of its id, as the holders logged it. */
  const shardStreams = (): readonly { readonly peer: string; readonly holder: string }[] =>
    members().flatMap(({ home, name: holder }) =>
      readFileSync(join(home, 'logs', 'daemon.log'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"a shard stream begins"'))
        .map((line) => ({ peer: (JSON.parse(line) as { peer: string }).peer, holder })),
    )
  const callers = (): readonly string[] => shardStreams().map(({ peer }) => peer)
  /**
   * How many holders each caller has been at that was at none before. Validators look at holders too, at times that they
   * draw, under an id for each look: who was at one holder only may be one of theirs.
   */
  const callersSince = (known: ReadonlySet<string>): readonly number[] => {
    const at = new Map<string, Set<string>>()
    for (const { peer, holder } of shardStreams())
      if (!known.has(peer)) at.set(peer, (at.get(peer) ?? new Set()).add(holder))
    return [...at.values()].map((holders) => holders.size).filter((holders) => holders > 1)
  }
  /** Bytes that the client's own TCP connections have carried, those of its overlay (ss(8)). */
  const openly = async (): Promise<number> => {
    const { stdout } = await runTool('ss', ['-tinpOH'])
    const own = stdout
      .toString()
      .split('\n')
      .filter((line) => line.includes(`pid=${client.pid},`))
    assert.ok(own.length > 0, stdout.toString())
    const count = (line: string, what: string): number => Number(new RegExp(`\\b${what}:(\\d+)`).exec(line)?.[1] ?? 0)
    return own.reduce((sum, line) => sum + count(line, 'bytes_sent') + count(line, 'bytes_received'), 0)
  }
  const get = async (ref: string, ...more: readonly string[]): Promise<void> => {
    const { code, stderr } = await weft(['get', ref, '-o', back, '--force', ...more], env)
    assert.equal(code, 0, stderr)
    assert.ok(readFileSync(back).equals(content))
  }

  before(async () => {
    writeFileSync(file, content)
    const plan = { dir: net, basePort: BASE_PORT, seed: 'private' }
    // Once for the homes, and once with all that can be logged.
    const first = await upDevnet<Up>(plan)
    await weft(['devnet', 'down', '--dir', net])
    for (const { home } of first.nodes)
      writeFileSync(join(home, 'weft.toml'), '[log]\nlevel = "debug"\n', { mode: 0o600 })
    up = await upDevnet<Up>(plan)
    client = up.nodes.find(({ name }) => name === 'client') ?? assert.fail()
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('a file that fits its record goes over routes, too', async () => {
    const small = join(directory, 'small.txt')
    writeFileSync(small, 'a word')
    const before = await led()
    const { ref } = await weftJson<Stored>(['put', small, '--private'], env)
    const { stdout } = await weft(['get', ref, '-o', '-', '--private'], env)
    assert.equal(stdout, 'a word')
    assert.ok((await led()) - before >= 4)
  })

  test('10 MB that go openly are seen: the holders log who it is, and its own connections carry it', async () => {
    const before = await openly()
    const { ref } = await weftJson<Stored>(['put', file], env)
    await get(ref)
    assert.ok((await openly()) - before > 3 * SIZE)
    assert.ok(callers().includes(client.id.slice(-8)))
  })

  test('10 MB go over routes and come back equal; holders see callers that they never see again, and the own connections carry nothing of it', async (t) => {
    const end = client.id.slice(-8)
    const own = callers().filter((peer) => peer === end).length
    const known = new Set(callers())
    const before = { openly: await openly(), led: await led() }
    const { ref, private: isPrivate } = await weftJson<Stored>(['put', file, '--private'], env)
    assert.equal(isPrivate, true)
    const ofPut = callersSince(known)
    await get(ref, '--private')
    // What was put privately is fetched so whatever is said.
    await get(ref)
    const ofAll = callersSince(known)
    const after = { openly: await openly(), led: await led(), vpn: await vpn(client.home) }
    assert.ok(after.openly - before.openly < IDLE_BYTES, `${after.openly - before.openly} bytes went openly`)
    // Nine holders hold a put of 30 MB with its parity, of which a get takes three: by key, one of each transfer.
    assert.equal(callers().filter((peer) => peer === end).length, own)
    assert.deepEqual(ofPut, [9])
    assert.equal(ofAll.length, 3)
    assert.ok(
      ofAll.every((holders) => holders >= 3),
      ofAll.join(),
    )
    assert.ok(after.led - before.led >= 9 + 2 * 3, `${after.led - before.led}`)
    assert.ok(after.vpn.services.sentBytes > 3 * SIZE && after.vpn.services.receivedBytes > 2 * SIZE)
    assert.deepEqual([after.vpn.services.routes, after.vpn.services.streams], [0, 0])
    t.diagnostic(`${after.openly - before.openly} bytes over own connections meanwhile`)
    assert.equal((await weftJson<Stat>(['stat', ref], env)).health, 'healthy')
    assert.equal(callers().filter((peer) => peer === end).length, own)
  })

  test('a holder that is killed under a private get is replaced by another', async () => {
    const { ref } = await weftJson<Stored>(['put', file, '--private'], env)
    const { segments } = await weftJson<Stat>(['stat', ref], env)
    // Shard 0 is asked for first; an exit or a storage node, so that the map goes on.
    const holders = segments[0]?.shards.map(({ node }) => up.nodes.find(({ id }) => id === node)) ?? []
    const victim = holders.find((node) => node !== undefined && !node.name.startsWith('validator')) ?? assert.fail()
    const { finished } = startWeft(['get', ref, '-o', back, '--force', '--private'], env)
    process.kill(victim.pid, 'SIGKILL')
    const { code, stderr } = await finished
    assert.equal(code, 0, stderr)
    assert.ok(readFileSync(back).equals(content))
  })

  test('too few holders over routes: the put says so, and nothing is put openly', async () => {
    const before = callers().filter((peer) => peer === client.id.slice(-8)).length
    const { code, stdout } = await weft(['put', file, '--private', '--class', 'small', '--json'], env)
    assert.notEqual(code, 0)
    const { error } = JSON.parse(stdout) as { error: { code: string; cause: string; fix: string } }
    assert.equal(error.code, 'E_CLASS_UNAVAILABLE')
    assert.match(error.cause, /over a route/)
    assert.equal(callers().filter((peer) => peer === client.id.slice(-8)).length, before)
  })
})
