import { type DevnetUp, type BenchDevnet, weft } from '../lib/bench-devnet.ts'
import { type ProxyPort, fetchOnce } from './curl.ts'

const ROLES = ['entry', 'relay', 'exit'] as const
/** ms until all stands again after a restart. */
const RESTART_MS = 30_000
/** ms after which no request is tried any more. */
const GIVE_UP_MS = 60_000

interface RouteAnswer {
  readonly state: string
  readonly legs: readonly { readonly hops: readonly { readonly node: string }[] }[]
}
interface PeersAnswer {
  readonly peers: readonly { readonly id: string; readonly state: string }[]
}

/**
 * Kills the entry, the relay and the exit of the leg in use with SIGKILL, one after the other, and starts each again.
 * @returns for each round the longest of the three times from a kill until a request that was begun then, or the first
 *   after it that worked, had its answer, ms
 */
export async function failover(
  devnet: BenchDevnet,
  target: { readonly port: number },
  proxy: ProxyPort,
  rounds: number,
): Promise<readonly number[]> {
  const slowest: number[] = []
  for (let round = 0; round < rounds; round++) {
    const times: number[] = []
    for (const at of ROLES.keys()) times.push(await killHop(devnet, at, () => fetchOnce(proxy, target.port)))
    slowest.push(Math.max(...times))
  }
  return slowest
}

async function killHop(devnet: BenchDevnet, at: number, request: () => Promise<boolean>): Promise<number> {
  const route = await ask<RouteAnswer>(devnet, ['vpn', 'route'])
  const { text } = await weft(['devnet', 'status', '--dir', devnet.network, '--json'])
  const { nodes } = JSON.parse(text) as DevnetUp
  const id = route.legs[0]?.hops[at]?.node
  const node = nodes.find((one) => one.id === id)
  if (route.state !== 'connected' || node === undefined) throw new Error(`the route is ${route.state}`)
  const killed = performance.now()
  process.kill(node.pid, 'SIGKILL')
  while (!(await request()))
    if (performance.now() - killed > GIVE_UP_MS) throw new Error(`no request works after the death of ${node.name}`)
  const ms = performance.now() - killed
  await weft(['devnet', 'restart', node.name, '--dir', devnet.network])
  await untilConnected(devnet)
  return ms
}

/** Until the client has a connection to every member, so that each kill meets the same network. */
async function untilConnected(devnet: BenchDevnet): Promise<void> {
  const deadline = performance.now() + RESTART_MS
  for (;;) {
    const { peers } = await ask<PeersAnswer>(devnet, ['peers'])
    if (peers.every(({ state }) => state === 'connected')) return
    if (performance.now() > deadline) throw new Error(`a node was not reached within ${RESTART_MS} ms of its restart`)
  }
}

async function ask<Answer>(devnet: BenchDevnet, command: readonly string[]): Promise<Answer> {
  return JSON.parse((await weft([...command, '--json'], devnet.client)).text) as Answer
}
