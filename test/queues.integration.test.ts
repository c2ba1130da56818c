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

// Operators' limits on real processes: what is above them waits, each circuit for its own turn, and all of it comes.

const BASE_PORT = 25_800
const PROXY = BASE_PORT + 1
const LIMIT_MBPS = 40
const SIZE = 10_000_000

interface Status {
  readonly state: string
  readonly carried?: {
    readonly packetsWaited: Readonly<Record<'realtime' | 'interactive' | 'bulk', number>>
    readonly packetsDropped: Readonly<Record<string, number>>
  }
}

describe('a devnet whose nodes carry 40 Mbit/s each', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-queues-'))
  const net = join(directory, 'net')
  const env = { WEFT_HOME: join(net, 'client') }
  let carriers: readonly string[] = []
  let target: HttpTarget

  const statusOf = (name: string): Promise<Status> =>
    weftJson<Status>(['vpn', 'status'], { WEFT_HOME: join(net, name) })
  /** ms of one GET; its route is its user's own. */
  const get = async (size: number, user: string): Promise<number> => {
    const began = performance.now()
    const socket = await socksConnect(PROXY, target.port, user)
    socket.write(`GET /${size} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`)
    let bytes = 0
    for await (const chunk of socket) bytes += (chunk as Buffer).length
    assert.ok(bytes > size && bytes < size + 1_000, `${bytes}`)
    return performance.now() - began
  }

  before(async () => {
    // So few have one exit, which all routes share.
    const { nodes } = await upDevnet<{ nodes: { name: string; roles: string[] }[] }>({
      dir: net,
      basePort: BASE_PORT,
      nodes: 7,
      seed: 'queues',
    })
    carriers = nodes
      .filter(({ roles }) => roles.some((role) => ['entry', 'relay', 'exit'].includes(role)))
      .map(({ name }) => name)
    for (const name of carriers) {
      appendFileSync(join(net, name, 'weft.toml'), `\n[relay]\nlimit_mbps = ${LIMIT_MBPS}\n`)
      await weftJson(['devnet', 'restart', name, '--dir', net])
    }
    target = await HttpTarget.listen()
    await eventually(
      'a route',
      () => weftJson<Status>(['vpn', 'status'], env),
      ({ state }) => state === 'connected',
    )
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    await target[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  test('downloads take at least the time that the limit says, come whole, and small ones beside them pass', async (t) => {
    const began = performance.now()
    const running = { large: 2 }
    const large = ['one', 'two'].map((user) => get(SIZE, user).finally(() => running.large--))
    const small: number[] = []
    while (running.large > 0) small.push(await get(1_000, 'three'))
    await Promise.all(large)
    const ms = performance.now() - began
    t.diagnostic(`${2 * SIZE} bytes in ${Math.round(ms)} ms; small ones beside: ${small.map(Math.round).join(' ')} ms`)
    // The burst of 20 ms goes beside the limit; headers of packets make it longer.
    assert.ok(ms >= (2 * SIZE * 8) / (LIMIT_MBPS * 1_000) - 20, `${ms} ms`)
    assert.ok(small.length > 0)

    const all = await Promise.all(carriers.map(statusOf))
    const sum = (pick: (carried: NonNullable<Status['carried']>) => number): number =>
      all.reduce((before, { carried }) => before + (carried === undefined ? 0 : pick(carried)), 0)
    assert.ok(sum(({ packetsWaited }) => packetsWaited.bulk) > 1_000)
    assert.ok(sum(({ packetsWaited }) => packetsWaited.realtime) > 0)
    const dropped = sum(({ packetsDropped }) => (packetsDropped['queueLate'] ?? 0) + (packetsDropped['queueFull'] ?? 0))
    t.diagnostic(`${dropped} cells dropped`)
    // Of some 15,000: sessions keep to what they find.
    assert.ok(dropped < 1_500, `${dropped}`)
  })

  test('a limit that is none, or below what the node claims, keeps it from starting and says why', async () => {
    const [name = ''] = carriers
    for (const [line, words] of [
      ['limit_mbps = 0', /relay\.limit_mbps in .* must be a whole number from 1 to 1000000, and is 0/],
      ['limit_mbps = "fast"', /relay\.limit_mbps in .* must be a whole number/],
    ] as const) {
      const home = mkdtempSync(join(directory, 'bad-'))
      appendFileSync(join(home, 'weft.toml'), `[relay]\n${line}\n`)
      const { code, stderr } = await weft(['start'], { WEFT_HOME: home })
      assert.notEqual(code, 0, name)
      assert.match(stderr, words)
    }
  })
})
