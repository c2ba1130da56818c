import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// A removed object on real processes: what its holders say, what is on their disks, and one that was away.

const BASE_PORT = 22_000
/** Its shards have files of their own. */
const SIZE = 5_000_000

interface Up {
  readonly nodes: readonly { readonly name: string; readonly id: string }[]
}
interface Removal {
  readonly state: string
  readonly withdrawn: boolean
  readonly holders: readonly {
    readonly node: string
    readonly state: string
    readonly receipt?: { readonly shards: number; readonly bytes: number; readonly signature: string }
  }[]
}

describe('objects are removed from a devnet', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-removal-'))
  const net = join(directory, 'net')
  const env = { WEFT_HOME: join(net, 'client') }
  const file = join(directory, 'file.bin')
  /** Files of shards on all disks. */
  const files = (): string[] =>
    globSync(join(net, '*/storage/shards/large/?/*')).filter((path) => statSync(path).isFile())
  const put = async (name: string): Promise<string> =>
    (await weftJson<{ ref: string }>(['put', file, '--name', name, '--class', 'tiny'], env)).ref
  const rm = (...args: string[]): Promise<Removal> => weftJson<Removal>(['rm', ...args], env)
  let up: Up

  before(async () => {
    writeFileSync(file, randomBytes(SIZE))
    up = await upDevnet<Up>({ dir: net, basePort: BASE_PORT, seed: 'removal' })
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('every holder signs that it deleted it, and nobody finds it any more', async (t) => {
    const ref = await put('first')
    assert.equal(files().length, 9)
    const started = performance.now()
    const removal = await rm(ref, '--yes')
    t.diagnostic(
      `statements of 9 holders after ${Math.round(performance.now() - started)} ms, the start of the command included`,
    )
    assert.deepEqual([removal.state, removal.withdrawn], ['done', true])
    assert.deepEqual(
      removal.holders.map(({ receipt }) => receipt?.shards),
      Array.from({ length: 9 }, () => 1),
    )
    assert.deepEqual(files(), [])
    assert.deepEqual((await weftJson<{ objects: unknown[] }>(['ls'], env)).objects, [])
    for (const home of ['client', 'client2']) {
      for (const command of [
        ['get', ref, '-o', join(directory, 'back')],
        ['stat', ref],
      ]) {
        const { code, stderr } = await weft(command, { WEFT_HOME: join(net, home) })
        assert.deepEqual([code, stderr.split(':')[0]], [5, 'E_OBJECT_REMOVED'])
      }
    }
  })

  test('a holder that was away says so when it is back, and has nothing of it', async () => {
    const ref = await put('second')
    const { segments } = await weftJson<{ segments: { shards: { node: string }[] }[] }>(['stat', ref], env)
    const [first] = segments[0]?.shards ?? []
    const { name, id } = up.nodes.find((node) => node.id === first?.node) ?? assert.fail()
    const killed = await weft(['devnet', 'kill', name, '--dir', net])
    assert.equal(killed.code, 0, killed.stderr)
    const removal = await rm('second', '--yes')
    assert.equal(removal.state, 'open')
    assert.deepEqual(
      removal.holders.filter(({ state }) => state !== 'deleted').map(({ node, state }) => [node, state]),
      [[id, 'waiting']],
    )
    assert.equal(files().length, 1)
    await weft(['devnet', 'restart', name, '--dir', net])
    // Nobody asks for it: the daemon goes on by itself. --proof only looks.
    const done = await eventually(
      'the holder signed',
      () => rm('--proof', 'second'),
      ({ state }) => state === 'done',
    )
    assert.equal(done.holders.find(({ node }) => node === id)?.receipt?.shards, 1)
    assert.deepEqual(files(), [])
  })
})
