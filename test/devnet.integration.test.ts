import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { leftShards } from './lib/left-shards.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { startWeft, weft, weftJson } from './lib/weft.ts'

// The main job of storage on real processes: a 100 MB file outlives the death of n - k of its holders.

const BASE_PORT = 24_000
const SIZE = 100_000_000

interface Up {
  readonly dir: string
  readonly nodes: readonly {
    readonly name: string
    readonly id: string
    readonly pid: number
    readonly home: string
    readonly ports: Record<string, number>
  }[]
}
interface Stat {
  readonly class: { readonly name: string; readonly k: number; readonly n: number }
  readonly health: string
  readonly segments: readonly {
    readonly shards: readonly { readonly index: number; readonly node: string; readonly state: string }[]
  }[]
}

describe('a devnet of twelve nodes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-it-'))
  const net = join(directory, 'net')
  const file = join(directory, 'file.bin')
  const content = randomBytes(SIZE)
  const hash = createHash('sha256').update(content).digest('hex')
  let up: Up
  let env: Record<string, string>
  let ref: string

  before(async () => {
    writeFileSync(file, content)
    up = await upDevnet<Up>({ dir: net, basePort: BASE_PORT, seed: 'integration' })
    env = { WEFT_HOME: join(net, 'client') }
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('stands as documented: names, ports, pids, and every member certified by a quorum', async () => {
    assert.deepEqual(
      up.nodes.map(({ name }) => name),
      [
        'client',
        ...[1, 2, 3, 4].map((i) => `validator${i}`),
        ...[1, 2, 3, 4].map((i) => `storage${i}`),
        'exit1',
        'exit2',
        'client2',
      ],
    )
    assert.deepEqual(
      up.nodes.map(({ ports }) => ports['api']),
      up.nodes.map((_, index) => BASE_PORT + index * 10),
    )
    const { members } = await weftJson<{
      members: { id: string }[]
    }>(['members'], env)
    assert.deepEqual(
      members.map(({ id }) => id).toSorted(),
      up.nodes
        .slice(1, -1)
        .map(({ id }) => id)
        .toSorted(),
    )
    for (const { id } of [members[0]!, members.at(-1)!]) {
      const { member } = await weftJson<{
        member: { id: string; certificate: { quorum: number; signatures: unknown[] } }
      }>(['members', id], env)
      assert.equal(member.id, id)
      assert.ok(member.certificate.signatures.length >= 3 && member.certificate.quorum === 3)
    }
    const id = await weftJson<{ node: string }>(['id'], env)
    assert.equal(id.node, up.nodes[0]?.id)
  })

  test('a second up reuses it, and another one on its ports is refused by name', async () => {
    const again = await weft(['devnet', 'up', '--dir', net, '--detach'])
    assert.equal(again.code, 0, again.stderr)
    assert.match(again.stderr, /runs already, with 12 nodes/)
    const other = await weft([
      'devnet',
      'up',
      '--dir',
      join(directory, 'other'),
      '--base-port',
      String(BASE_PORT + 60),
      '--detach',
    ])
    assert.equal(other.code, 1)
    assert.match(
      other.stderr,
      new RegExp(
        `E_PORT_TAKEN: Port ${BASE_PORT + 60} is taken .*process ${up.nodes[6]?.pid}.*\\nFix: Use --base-port \\d+`,
      ),
    )
    assert.deepEqual(findNodeProcesses(join(directory, 'other')), [])
  })

  test('a put that Ctrl-C ends leaves nothing of the object', async () => {
    const held = async (): Promise<number> => {
      const stats = await Promise.all(
        up.nodes
          .slice(1, -1)
          .map(({ home }) => weftJson<{ storage: { shards: number } }>(['status'], { WEFT_HOME: home })),
      )
      const shards = stats.reduce((sum, { storage }) => sum + storage.shards, 0)
      return shards - leftShards(up.nodes.map(({ home }) => home))
    }
    // A look of the validators at a holder keeps a shard there for a moment.
    await eventually('that nothing is held', held, (seen) => seen === 0)
    const { child, finished } = startWeft(['put', '-', '--class', 'tiny'], env)
    assert.ok(child.stdin)
    child.stdin.on('error', () => {})
    // Two segments and a piece: the first is with its holders when the interrupt comes.
    child.stdin.write(content.subarray(0, 40_000_000))
    await eventually('shards arrive', held, (seen) => seen > 0)
    child.kill('SIGINT')
    assert.equal((await finished).code, 130)
    await eventually('that no shard of it is left', held, (seen) => seen === 0)
    assert.deepEqual((await weftJson<{ objects: unknown[] }>(['ls'], env)).objects, [])
  })

  test('a 100 MB file comes back equal after kill -9 of n - k holders', async () => {
    ref = (await weftJson<{ ref: string }>(['put', file, '--class', 'tiny'], env)).ref
    const stat = await weftJson<Stat>(['stat', ref], env)
    assert.deepEqual([stat.class, stat.health], [{ name: 'tiny', k: 3, n: 9 }, 'healthy'])
    for (const { shards } of stat.segments) assert.equal(new Set(shards.map(({ node }) => node)).size, 9)
    for (const { node } of stat.segments[0]?.shards.slice(0, 6) ?? []) process.kill(pidOf(node), 'SIGKILL')
    const back = join(directory, 'back.bin')
    const got = await weft(['get', ref, '-o', back], env)
    assert.equal(got.code, 0, got.stderr)
    assert.equal(createHash('sha256').update(readFileSync(back)).digest('hex'), hash)
  })

  test('with one holder more gone a get ends with 1, says what is missing where, and leaves no file', async () => {
    const seventh = (await weftJson<Stat>(['stat', ref], env)).segments[0]?.shards.find(
      ({ state }) => state === 'stored',
    )
    assert.ok(seventh)
    const killed = await weft(['devnet', 'kill', seventh.node, '--dir', net])
    assert.equal(killed.code, 0, killed.stderr)
    const path = join(directory, 'never.bin')
    const { code, stderr } = await weft(['get', ref, '-o', path], env)
    assert.equal(code, 1)
    assert.match(stderr, /E_SHARDS_MISSING: Segment 0: 2 of 3 needed shards; missing: .*unreachable/)
    assert.ok(!existsSync(path))
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.includes('never')),
      [],
    )
  })

  test('restarted holders bring every shard back', async () => {
    const dead = (
      await weftJson<{ nodes: { name: string; state: string }[] }>(['devnet', 'status', '--dir', net])
    ).nodes.filter(({ state }) => state === 'stopped')
    assert.equal(dead.length, 7)
    const restarted = await weft(['devnet', 'restart', ...dead.map(({ name }) => name), '--dir', net])
    assert.equal(restarted.code, 0, restarted.stderr)
    assert.equal((await weftJson<Stat>(['stat', ref, '--wait', '--timeout', '60s'], env)).health, 'healthy')
  })

  test('down leaves no process, and up goes on with the data', async () => {
    const down = await weft(['devnet', 'down', '--dir', net])
    assert.equal(down.code, 0, down.stderr)
    assert.deepEqual(findNodeProcesses(net), [])
    assert.equal((await weft(['status'], env)).code, 3)
    const again = await weft(['devnet', 'up', '--dir', net, '--detach'])
    assert.equal(again.code, 0, again.stderr)
    const back = join(directory, 'again.bin')
    assert.equal((await weft(['get', ref, '-o', back], env)).code, 0)
    assert.equal(createHash('sha256').update(readFileSync(back)).digest('hex'), hash)
  })

  function pidOf(id: string): number {
    return up.nodes.find((node) => node.id === id)?.pid ?? assert.fail(`no node ${id}`)
  }
})

test('a taken port is named before any node is started', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const directory = mkdtempSync(join(tmpdir(), 'weft-it-'))
  try {
    const { code, stderr } = await weft(['devnet', 'up', '--dir', directory, '--base-port', String(port)])
    assert.equal(code, 1)
    assert.match(stderr, /^E_PORT_(TAKEN|RANGE): /)
    assert.deepEqual(findNodeProcesses(directory), [])
  } finally {
    server.close()
    rmSync(directory, { recursive: true })
  }
})
