import assert from 'node:assert/strict'
import { createHash, randomFillSync } from 'node:crypto'
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { after, before, describe, test } from 'node:test'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// A file that is several times larger than the memory that a process may have. `npm test -- --long` takes 3 GB.

const BASE_PORT = 25_200
const MEGABYTES = process.env['WEFT_LONG'] === undefined ? 600 : 3_000
/** The most memory that any process of the network may ever have had, bytes. */
const LIMIT = 300e6

interface Up {
  readonly nodes: readonly { readonly name: string; readonly id: string; readonly pid: number }[]
}
interface Stat {
  readonly class: { readonly k: number; readonly n: number }
  readonly segments: readonly { readonly shards: readonly { readonly node: string }[] }[]
}

const skip = process.platform === 'linux' ? false : 'reads /proc/PID/status, which only Linux has'

describe(`a file of ${MEGABYTES} MB`, { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-large-'))
  const net = join(directory, 'net')
  const file = join(directory, 'file.bin')
  const env = { WEFT_HOME: join(net, 'client') }
  let up: Up
  let hash: string

  before(async () => {
    hash = await writeRandom(file)
    up = await upDevnet<Up>({ dir: net, basePort: BASE_PORT, seed: 'large file' })
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('comes back after kill -9 of n - k holders, and no process ever had more than 300 MB', async (context) => {
    const { ref } = await weftJson<{ ref: string }>(['put', file, '--class', 'tiny'], env)
    const afterPut = memory(up)
    const { class: stored, segments } = await weftJson<Stat>(['stat', ref], env)
    const holders = new Set(segments[0]?.shards.map(({ node }) => node))
    assert.equal(holders.size, stored.n)
    const killed = up.nodes.filter(({ id }) => holders.has(id)).slice(0, stored.n - stored.k)
    for (const { pid } of killed) process.kill(pid, 'SIGKILL')

    const back = join(directory, 'back.bin')
    const got = await weft(['get', ref, '-o', back], env)
    assert.equal(got.code, 0, got.stderr)
    assert.equal(await sha256(back), hash)

    const afterGet = memory({ nodes: up.nodes.filter((node) => !killed.includes(node)) })
    for (const [name, bytes] of [...afterPut, ...afterGet]) {
      assert.ok(bytes < LIMIT, `${name} had ${Math.round(bytes / 1e6)} MB`)
    }
    const most = Math.max(...[...afterPut, ...afterGet].map(([, bytes]) => bytes))
    context.diagnostic(`most memory of a process: ${Math.round(most / 1e6)} MB`)
  })
})

/** The most resident memory that each process ever had, bytes. */
function memory({ nodes }: Up): [string, number][] {
  return nodes.map(({ name, pid }) => {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    assert.ok(kilobytes !== undefined)
    return [name, Number(kilobytes) * 1024]
  })
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
