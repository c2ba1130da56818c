import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// All validators of a devnet are killed: its members seat others, and the network goes on.

const BASE_PORT = 25_200
/** So many that objects have holders enough without the validators. */
const NODES = 16
const VALIDATORS = ['validator1', 'validator2', 'validator3', 'validator4']

interface Up {
  readonly nodes: readonly { readonly name: string; readonly id: string; readonly pid: number }[]
}
interface Shown {
  readonly network: {
    readonly term: { readonly number: number; readonly fromEpoch: number; readonly since: number }
    readonly validators: readonly { readonly id: string }[]
    readonly recoveryAfterMs: number
  }
  readonly map: { readonly epoch?: number; readonly signatures: number; readonly validators: number }
}
interface Status {
  readonly admission: { readonly state: string; readonly inMap?: boolean; readonly epoch?: number }
  readonly map: { readonly epoch?: number; readonly fault?: { readonly code: string; readonly fix: string } }
}
interface Members {
  readonly members: readonly { readonly id: string; readonly roles: readonly string[] }[]
}

describe('the validators of a devnet are gone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-recovery-'))
  const net = join(directory, 'net')
  const of = (name: string): Record<string, string> => ({ WEFT_HOME: join(net, name) })
  const show = (name: string): Promise<Shown> => weftJson<Shown>(['network', 'show'], of(name))
  const status = (name: string): Promise<Status> => weftJson<Status>(['status'], of(name))
  const file = join(directory, 'file.bin')
  let up: Up
  let ref: string

  const put = async (path: string): Promise<string> => {
    writeFileSync(path, randomBytes(3_000_000))
    return (await weftJson<{ ref: string }>(['put', path, '--class', 'tiny'], of('client'))).ref
  }
  const assertComesBack = async (name: string, wanted: string, path: string): Promise<void> => {
    const back = join(directory, 'back.bin')
    rmSync(back, { force: true })
    const got = await weft(['get', wanted, '-o', back], of(name))
    assert.equal(got.code, 0, got.stderr)
    assert.ok(readFileSync(back).equals(readFileSync(path)))
  }

  before(async () => {
    up = await upDevnet<Up>({ dir: net, basePort: BASE_PORT, nodes: NODES, seed: 'recovery' })
    ref = await put(file)
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('what was stored stays readable, and the health says when members take their seats', async () => {
    assert.equal((await show('client')).network.term.number, 0)
    for (const { name, pid } of up.nodes) if (VALIDATORS.includes(name)) process.kill(pid, 'SIGKILL')
    const { map } = await eventually(
      'the map grows old',
      () => status('storage1'),
      (seen) => seen.map.fault !== undefined,
    )
    assert.equal(map.fault?.code, 'E_MAP_STALE')
    assert.match(map.fault.fix, /other members take their seats at about \d{4}-/)
    await assertComesBack('client2', ref, file)
  })

  test('others have their seats, and sign maps', async () => {
    const killed = up.nodes.flatMap(({ name, id }) => (VALIDATORS.includes(name) ? [id] : []))
    const { recoveryAfterMs } = (await show('client')).network
    const shown = await eventually(
      'a map of term 1',
      () => show('client'),
      ({ network, map }) => network.term.number === 1 && (map.epoch ?? 0) >= network.term.fromEpoch,
      recoveryAfterMs,
    )
    const seats = shown.network.validators.map(({ id }) => id)
    assert.ok(seats.length >= 8, `${seats.length} seats`)
    assert.ok(seats.every((id) => !killed.includes(id)))
    for (const name of ['storage1', 'exit1', 'client2']) {
      const other = await eventually(
        `${name} has it too`,
        () => show(name),
        ({ network, map }) => network.term.number === 1 && (map.epoch ?? 0) >= network.term.fromEpoch,
      )
      assert.deepEqual(
        other.network.validators.map(({ id }) => id),
        seats,
      )
    }
    await eventually(
      'its members are those that are left',
      () => weftJson<Members>(['members'], of('client')),
      ({ members }) => members.length === NODES - 2 - VALIDATORS.length,
    )
    const words = await weft(['network', 'show'], of('client'))
    assert.match(words.stdout, /^term {8}1, since epoch \d+ \(.* UTC\)$/m)
  })

  test('a new object is stored and comes back, and so does the old one', async () => {
    const another = join(directory, 'another.bin')
    await assertComesBack('client2', await put(another), another)
    await assertComesBack('client', ref, file)
  })

  test('a validator that comes back is a member without a seat', async () => {
    await weftJson(['devnet', 'restart', 'validator1', '--dir', net])
    const id = up.nodes.find(({ name }) => name === 'validator1')?.id
    const { term } = (await show('client')).network
    await eventually(
      'it is certified by the others',
      () => status('validator1'),
      ({ admission }) =>
        admission.state === 'certified' && admission.inMap === true && (admission.epoch ?? 0) >= term.fromEpoch,
    )
    const { network } = await show('validator1')
    assert.deepEqual(network.term, term)
    assert.ok(!network.validators.some((validator) => validator.id === id))
    // Its operator still asks for the role, so it is a candidate for the next seat.
    await eventually(
      'others see it as a member like others',
      async () => (await weftJson<Members>(['members'], of('client'))).members.find((member) => member.id === id),
      (row) => row?.roles.includes('validator') === true,
    )
  })
})
