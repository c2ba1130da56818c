import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchDevnet, type DevnetUp, weft } from '../lib/bench-devnet.ts'

export type Place = 'client' | 'entry' | 'relay' | 'exit'

interface Route {
  readonly legs: readonly { readonly state: string; readonly hops: readonly { readonly node: string }[] }[]
}

/** Processes of the route that the client uses. */
export async function routeProcesses(devnet: BenchDevnet, nodes: DevnetUp['nodes']): Promise<Record<Place, number>> {
  const { text } = await weft(['vpn', 'route', '--json'], devnet.client)
  const route = JSON.parse(text) as Route
  const hops = route.legs.find(({ state }) => state === 'active')?.hops ?? []
  const [entry, relay, exit] = hops.map(({ node }) => nodes.find(({ id }) => id === node)?.pid)
  if (entry === undefined || relay === undefined || exit === undefined)
    throw new Error(`the client has no route of three nodes of this network: ${text}`)
  const { pid } = JSON.parse(readFileSync(join(devnet.client, 'daemon.json'), 'utf8')) as { readonly pid: number }
  return { client: pid, entry, relay, exit }
}
