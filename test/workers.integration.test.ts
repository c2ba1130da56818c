import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { HttpTarget } from '../bench/vpn/http-target.ts'
import { socksConnect } from '../bench/vpn/socks-connect.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// Daemons with two packet workers each: routes pass through either, and work.

const BASE_PORT = 26_000
const SIZE = 10_000_000
const LIMIT_MBPS = 80
/** By chance one worker has all of the clients that a node ever had, one time in 2,000. */
const CLIENTS = 12
const CARRIES: ReadonlySet<string> = new Set(['entry', 'relay', 'exit'])

interface Status {
  readonly state: string
  readonly carried?: {
    readonly circuits: number
    readonly packetsForwarded: number
    readonly workers: readonly {
      readonly circuits: number
      readonly links: number
      readonly packetsForwarded: number
    }[]
  }
}

describe(
  'a devnet whose nodes have two packet workers',
  { skip: process.platform === 'linux' ? false : 'only Linux deals senders out among sockets' },
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-workers-'))
    const net = join(directory, 'net')
    let carriers: readonly string[] = []
    let target: HttpTarget

    const statusOf = (name: string): Promise<Status> =>
      weftJson<Status>(['vpn', 'status'], { WEFT_HOME: join(net, name) })
    const connected = (): Promise<Status> =>
      eventually(
        'a route',
        () => statusOf('client'),
        ({ state }) => state === 'connected',
      )
    /** Bytes of one GET over a route of the user's own. */
    const get = async (user: string): Promise<number> => {
      const socket = await socksConnect(BASE_PORT + 1, target.port, user)
      socket.write(`GET /${SIZE} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`)
      let bytes = 0
      for await (const chunk of socket) bytes += (chunk as Buffer).length
      return bytes
    }
    const worked = async (): Promise<readonly NonNullable<Status['carried']>[]> =>
      (await Promise.all(carriers.map(statusOf))).flatMap(({ carried }) => carried ?? [])

    before(async () => {
      const { nodes } = await upDevnet<{ nodes: { name: string; roles: string[] }[] }>({
        dir: net,
        basePort: BASE_PORT,
        nodes: 7,
        seed: 'workers',
      })
      carriers = nodes.filter(({ roles }) => roles.some((role) => CARRIES.has(role))).map(({ name }) => name)
      for (const name of carriers) {
        appendFileSync(join(net, name, 'weft.toml'), `\n[vpn]\nworkers = 2\n\n[relay]\nlimit_mbps = ${LIMIT_MBPS}\n`)
        await weftJson(['devnet', 'restart', name, '--dir', net])
      }
      target = await HttpTarget.listen()
      await connected()
    })
    after(async () => {
      await weft(['devnet', 'down', '--dir', net])
      assert.deepEqual(findNodeProcesses(net), [])
      await target[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true })
    })

    test('downloads over twelve routes come whole, at the limit of both workers together', async (t) => {
      const began = performance.now()
      for (let round = 0; round < 3; round++) {
        const bytes = await Promise.all(Array.from({ length: 4 }, (_, user) => get(`${round}-${user}`)))
        for (const each of bytes) assert.ok(each > SIZE && each < SIZE + 1_000, `${each}`)
      }
      const ms = performance.now() - began
      const all = await worked()
      for (const { circuits, packetsForwarded, workers } of all) {
        t.diagnostic(JSON.stringify(workers))
        assert.equal(workers.length, 2)
        assert.equal(
          circuits,
          workers.reduce((sum, worker) => sum + worker.circuits, 0),
        )
        assert.equal(
          packetsForwarded,
          workers.reduce((sum, worker) => sum + worker.packetsForwarded, 0),
        )
      }
      // One limit for both workers: of the one exit.
      assert.ok(ms >= (12 * SIZE * 8) / (LIMIT_MBPS * 1_000) - 20, `${ms} ms`)
    })

    test('both workers of a node carry some', async () => {
      // The system deals each pair of sockets to one worker, for as long as they are open: a client that was started again has another one.
      const isDealt = async (): Promise<boolean> =>
        (await worked()).some(({ workers }) => workers.every(({ packetsForwarded }) => packetsForwarded > 100))
      let times = 0
      for (; times < CLIENTS && !(await isDealt()); times++) {
        await weftJson(['devnet', 'restart', 'client', '--dir', net])
        await connected()
        assert.ok((await get('again')) > SIZE)
      }
      assert.ok(times < CLIENTS || (await isDealt()), 'no node had work for both')
    })

    test('a worker that is made with what cannot be keeps the daemon from starting, and it says why', async () => {
      const home = mkdtempSync(join(directory, 'bad-'))
      appendFileSync(join(home, 'weft.toml'), '[vpn]\nworkers = 2\n\n[exit]\nip = "on"\n')
      const { code, stderr } = await weft(['start'], { WEFT_HOME: home })
      assert.notEqual(code, 0)
      assert.match(stderr, /exit\.ip is on, and vpn\.workers is 2/)
    })
  },
)
