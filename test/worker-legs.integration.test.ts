import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FLOWS, FlowTargets, HeldFlows } from '../bench/vpn-failover/held-flows.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// An exit with four packet workers: the system deals the circuits of a session out to them, and the session has them all.

const BASE_PORT = 26_200

interface Route {
  readonly legs: readonly { readonly state: string; readonly hops: readonly { readonly node: string }[] }[]
}
interface Node {
  readonly name: string
  readonly id: string
  readonly pid: number
  readonly roles: readonly string[]
}
interface Status {
  readonly carried?: { readonly workers: readonly { readonly circuits: number; readonly legsElsewhere: number }[] }
}

describe(
  'legs that come to different packet workers of an exit',
  { skip: process.platform === 'linux' ? false : 'only Linux deals senders out among sockets' },
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-worker-legs-'))
    const net = join(directory, 'net')
    const env = { WEFT_HOME: join(net, 'client') }
    let targets: FlowTargets

    const nodes = async (): Promise<Node[]> =>
      (await weftJson<{ nodes: Node[] }>(['devnet', 'status', '--dir', net])).nodes
    /** Two legs that carry to one exit, and one in reserve. */
    const whole = (): Promise<Route> =>
      eventually(
        'a route of two legs and a spare',
        () => weftJson<Route>(['vpn', 'route'], env),
        ({ legs }) => {
          const exit = legs[0]?.hops.at(-1)?.node
          const states = legs.flatMap(({ state, hops }) => (hops.at(-1)?.node === exit ? state : []))
          return states.filter((state) => state === 'active').length === 2 && states.includes('spare')
        },
      )
    /** Of the exit that the route leads to. */
    const elsewhere = async ({ legs }: Route): Promise<number> => {
      const exit = (await nodes()).find(({ id }) => id === legs[0]?.hops.at(-1)?.node) ?? assert.fail()
      const { carried } = await weftJson<Status>(['vpn', 'status'], { WEFT_HOME: join(net, exit.name) })
      assert.equal(carried?.workers.length, 4)
      return carried.workers.reduce((sum, worker) => sum + worker.legsElsewhere, 0)
    }
    /** A route whose legs are with several workers of its exit: by chance three of four are. */
    const parted = async (): Promise<Route> => {
      for (let round = 0; round < 10; round++) {
        const route = await whole()
        if ((await elsewhere(route)) > 0) return route
        await weft(['vpn', 'down'], env)
        await weft(['vpn', 'up'], env)
      }
      return assert.fail('no leg came to another worker in ten routes')
    }

    before(async () => {
      await upDevnet({ dir: net, basePort: BASE_PORT, seed: 'worker-legs' })
      for (const { name, roles } of await nodes()) {
        if (!roles.includes('exit')) continue
        appendFileSync(join(net, name, 'weft.toml'), '\n[vpn]\nworkers = 4\n')
        await weftJson(['devnet', 'restart', name, '--dir', net])
      }
      targets = await FlowTargets.listen()
    })
    after(async () => {
      targets[Symbol.dispose]()
      await weft(['devnet', 'down', '--dir', net])
      assert.deepEqual(findNodeProcesses(net), [])
      rmSync(directory, { recursive: true })
    })

    test('nothing is reset when the entry of either leg is killed under a download, keys and a call', async (t) => {
      for (const leg of [0, 1]) {
        const route = await parted()
        using flows = await HeldFlows.open(BASE_PORT + 1, targets)
        const moved = async (): Promise<void> => {
          const from = { ...flows.received }
          await eventually(
            'more of each flow',
            () => Promise.resolve(flows.received),
            (now) => FLOWS.every((name) => now[name] > from[name]),
          )
        }
        await moved()
        const id = route.legs.filter(({ state }) => state === 'active')[leg]?.hops[0]?.node
        const entry = (await nodes()).find((node) => node.id === id) ?? assert.fail()
        process.kill(entry.pid, 'SIGKILL')
        await moved()
        const after = await whole()
        await moved()
        t.diagnostic(`legs with other workers: ${await elsewhere(after)}`)
        assert.deepEqual(flows.faults, [])
        await weft(['devnet', 'restart', entry.name, '--dir', net])
      }
    })
  },
)
