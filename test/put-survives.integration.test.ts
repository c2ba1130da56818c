import assert from 'node:assert/strict'
import { createHash, randomFillSync } from 'node:crypto'
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { after, before, describe, test } from 'node:test'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// A holder dies in the middle of a put: the put goes on with another in its place.

const BASE_PORT = 22_000
const MEGABYTES = 200

interface Up {
  readonly nodes: readonly { readonly name: string; readonly id: string; readonly pid: number }[]
}
interface Stored {
  readonly ref: string
  readonly warnings: readonly { readonly code: string; readonly cause: string }[]
}
interface Stat {
  readonly health: string
  readonly class: { readonly k: number; readonly n: number }
  readonly segments: readonly { readonly shards: readonly { readonly node: string }[] }[]
}

describe('a put whose holder is killed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-survives-'))
  const net = join(directory, 'net')
  const file = join(directory, 'file.bin')
  const env = { WEFT_HOME: join(net, 'client') }
  let up: Up
  let hash: string

  before(async () => {
    hash = await writeRandom(file)
    up = await upDevnet<Up>({ dir: net, basePort: BASE_PORT, nodes: 16, seed: 'put survives' })
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('succeeds with another, says so, and comes back after n - k others are killed', async () => {
    const storing = weftJson<Stored>(['put', file, '--class', 'tiny'], env)
    const put = { over: false }
    void storing.catch(() => {}).finally(() => (put.over = true))
    // Whoever has some shards of the object and not yet all of them; not a validator, whose loss is another test.
    let victim: Up['nodes'][number] | undefined
    while (victim === undefined && !put.over) {
      await new Promise((resolve) => setImmediate(resolve))
      victim = up.nodes.find(({ name }) => name.startsWith('storage') && largeShards(join(net, name)) >= 2)
    }
    assert.ok(victim !== undefined && !put.over, 'no holder was seen in the middle of the put')
    process.kill(victim.pid, 'SIGKILL')

    const { ref, warnings } = await storing
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['E_HOLDER_REPLACED'],
    )
    assert.ok(warnings[0]!.cause.includes(victim.id.slice(-8)))
    const { class: stored, segments, health } = await weftJson<Stat>(['stat', ref], env)
    assert.equal(health, 'healthy')
    const named = new Set(segments.flatMap(({ shards }) => shards.map(({ node }) => node)))
    assert.equal(named.size, stored.n)
    assert.ok(!named.has(victim.id))
    const others = up.nodes.filter(({ id }) => named.has(id)).toReversed()
    for (const { pid } of others.slice(0, stored.n - stored.k)) process.kill(pid, 'SIGKILL')
    const back = join(directory, 'back.bin')
    const got = await weft(['get', ref, '-o', back], env)
    assert.equal(got.code, 0, got.stderr)
    assert.equal(await sha256(back), hash)
  })
})

/** Whole shards of 256 KiB or more that a node keeps (docs/specs/shards.md, On disk). */
function largeShards(home: string): number {
  const directory = join(home, 'storage', 'shards', 'large')
  if (!existsSync(directory)) return 0
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  return files.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('new')).length
}

/** Fills a file with random bytes; returns their SHA-256 in hexadecimal. */
async function writeRandom(path: string): Promise<string> {
  const digest = createHash('sha256')
  const block = Buffer.alloc(10_000_000)
  await using handle = await open(path, 'wx')
  for (let at = 0; at < MEGABYTES; at += 10) {
    randomFillSync(block)
    digest.update(block)
    await handle.write(block)
  }
  return digest.digest('hex')
}

async function sha256(path: string): Promise<string> {
  const digest = createHash('sha256')
  await pipeline(createReadStream(path), digest)
  return digest.digest('hex')
}
