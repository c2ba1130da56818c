import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// Members that leave with a word, and without one: the map of all others drops them, and what they held stays readable.

const BASE_PORT = 26_600
/** ms: neighbours notice that it is gone, validators look for 20 s, and a map is made. */
const ABSENCE_MS = 60_000

interface Up {
  readonly nodes: readonly { readonly name: string; readonly id: string }[]
}
interface Members {
  readonly members: readonly { readonly id: string }[]
}
interface Stopped {
  readonly stopped: number
  readonly drained?: { readonly records: number; readonly safe: number }
}
interface Put {
  readonly ref: string
}

describe('members leave a devnet', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-drain-'))
  const net = join(directory, 'net')
  const of = (name: string): Record<string, string> => ({ WEFT_HOME: join(net, name) })
  const ids = new Map<string, string>()
  const untilGone = (name: string, waits = 0): Promise<boolean> =>
    eventually(
      `${name} is in no map any more`,
      async () => {
        const { members } = await weftJson<Members>(['members'], of('client'))
        return members.every(({ id }) => id !== ids.get(name))
      },
      (isGone) => isGone,
      waits,
    )
  let ref: string

  before(async () => {
    const up = await upDevnet<Up>({ dir: net, basePort: BASE_PORT, seed: 'drain' })
    for (const { name, id } of up.nodes) ids.set(name, id)
    const file = join(directory, 'small')
    // So small that it lies in a record.
    writeFileSync(file, 'what outlives its holders\n')
    ref = (await weftJson<Put>(['put', file], of('client'))).ref
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('weft stop --drain: out of the map, records with others, then the daemon ends', async () => {
    const { code, stdout, stderr } = await weft(['stop', '--drain', '--json'], of('storage3'))
    assert.equal(code, 0, stderr)
    const { drained } = JSON.parse(stdout) as Stopped
    assert.ok(drained !== undefined && drained.records > 0)
    assert.equal(drained.safe, drained.records)
    assert.match(stderr, /Leaving the map/)
    await untilGone('storage3')
    const { stdout: text } = await weft(['get', ref, '-o', '-'], of('client2'))
    assert.equal(text, 'what outlives its holders\n')
  })

  test('a node that is killed is out of the map once the validators have looked for it, and in again when it runs', async () => {
    const killed = await weft(['devnet', 'kill', 'storage2', '--dir', net])
    assert.equal(killed.code, 0, killed.stderr)
    await untilGone('storage2', ABSENCE_MS)
    await weft(['devnet', 'restart', 'storage2', '--dir', net])
    await eventually(
      'it is back',
      async () =>
        (await weftJson<Members>(['members'], of('client'))).members.some(({ id }) => id === ids.get('storage2')),
      (isBack) => isBack,
    )
  })
})
