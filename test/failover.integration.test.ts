import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FLOWS, FlowTargets, HeldFlows } from '../bench/vpn-failover/held-flows.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// What people have under way goes on when nodes of its route are killed: how long it stalls is measured in bench/vpn-failover.

const BASE_PORT = 24_800

interface Route {
  readonly state: string
  readonly legs: readonly {
    readonly state: string
    readonly streams: number
    readonly hops: readonly { readonly node: string }[]
  }[]
}
interface Node {
  readonly name: string
  readonly id: string
  readonly pid: number
}

describe('a download, keys that are echoed and a call over a devnet whose nodes are killed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-failover-'))
  const net = join(directory, 'net')
  const env = { WEFT_HOME: join(net, 'client') }
  let targets: FlowTargets
  let flows: HeldFlows

  const route = (): Promise<Route> => weftJson<Route>(['vpn', 'route'], env)
  /** Two legs that carry, one in reserve. */
  const whole = (): Promise<Route> =>
    eventually(
      'a route of two legs and a spare',
      route,
      ({ legs }) =>
        legs.filter(({ state }) => state === 'active').length === 2 &&
        legs.filter(({ state, hops }) => state === 'spare' && hops.at(-1)?.node === legs[0]?.hops.at(-1)?.node)
          .length === 1,
    )
  const moved = async (): Promise<void> => {
    const from = { ...flows.received }
    await eventually(
      'more of each flow',
      () => Promise.resolve(flows.received),
      (now) => FLOWS.every((name) => now[name] > from[name]),
    )
  }
  const killHop = async (at: number): Promise<string> => {
    const { legs } = await whole()
    const id = legs[0]?.hops[at]?.node
    const { nodes } = await weftJson<{ nodes: Node[] }>(['devnet', 'status', '--dir', net])
    const node = nodes.find((one) => one.id === id) ?? assert.fail()
    process.kill(node.pid, 'SIGKILL')
    return node.name
  }

  before(async () => {
    await upDevnet({ dir: net, basePort: BASE_PORT, seed: 'failover' })
    await whole()
    targets = await FlowTargets.listen()
    flows = await HeldFlows.open(BASE_PORT + 1, targets)
  })
  after(async () => {
    flows[Symbol.dispose]()
    targets[Symbol.dispose]()
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  for (const [at, role] of (['entry', 'relay'] as const).entries())
    test(`nothing is reset, and no byte is wrong, when the ${role} of a leg that carries is killed, three times`, async () => {
      for (let round = 0; round < 3; round++) {
        await moved()
        const name = await killHop(at)
        await moved()
        assert.deepEqual(flows.faults, [])
        await weft(['devnet', 'restart', name, '--dir', net])
      }
    })

  test('when the exit is killed new connections go over another one, and those of the old one end with a reason', async () => {
    await killHop(2)
    using others = await HeldFlows.open(BASE_PORT + 1, targets)
    await eventually(
      'more of each flow',
      () => Promise.resolve(others.received),
      (now) => FLOWS.every((name) => now[name] > 0),
    )
    const { failures } = await eventually(
      'a reason',
      () => weftJson<{ failures: { code: string; cause: string; fix: string }[] }>(['vpn', 'status'], env),
      (status) => status.failures.some(({ cause }) => cause.startsWith('A connection ended with its route: ')),
    )
    const [failure] = failures
    assert.match(failure?.code ?? '', /^E_(EXIT_LOST|CIRCUIT_ENDED|ROUTE_\w+)$/)
    assert.notEqual(failure?.fix, '')
  })
})
