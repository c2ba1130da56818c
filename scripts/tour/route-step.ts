import { join } from 'node:path'
import { WeftError } from '@weft/core'
import { type DevnetState, nodeProcess, requireNode } from '@weft/devnet'
import type { VpnRouteAnswer } from '@weft/node'
import { curlLine, fetchOverProxy } from './fetch-over-proxy.ts'
import { fetchError } from './fetch-over-socks.ts'
import { judgeVisits } from './judge-visits.ts'
import type { Narrator } from './narrator.ts'
import type { WeftCommand } from './run-weft.ts'
import { TourServer } from './tour-server.ts'

/** How long a route may take to come about on a loaded machine. */
const CONNECT = '30s'

/** Fetches a page of the tour's own server over three nodes, and shows whom the server saw. */
export async function routeStep(
  state: DevnetState,
  weft: WeftCommand,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<void> {
  const home = ['--home', join(state.directory, 'client')]
  const { ports } = requireNode(state, 'client')
  await using server = await TourServer.start((port) =>
    state.nodes.some((node) => port >= node.ports.api && port <= node.ports.packetsTls),
  )
  await narrator.step(
    `Fetch a page of the tour's own HTTP server (${server.url}) over three nodes`,
    async () => {
      await weft.json('vpn', 'up', '--wait', '--timeout', CONNECT, ...home)
      narrator.detail(curlLine(ports.proxy, server.url))
      const fetched = await fetchOverProxy(ports.proxy, server.url, signal)
      if (fetched.client === 'own') narrator.detail('curl is not installed: the tour asked with a client of its own')
      if (fetched.body !== server.page) throw fetchError('what came is not the page')
      const { legs } = await weft.json<VpnRouteAnswer>('vpn', 'route', ...home)
      const hops = legs[0]?.hops ?? []
      for (const line of hopLines(hops, state)) narrator.detail(line)
      const processes = state.nodes.map((node) => ({ name: node.name, id: node.id, pid: nodeProcess(node)?.pid }))
      const exit = processes.find(({ id }) => id === hops.at(-1)?.node)
      if (exit === undefined) throw noExit()
      return judgeVisits(server.visits, exit, processes)
    },
    (seen) => seen,
  )
}

interface Named {
  readonly nodes: readonly { readonly id: string; readonly name: string }[]
}

type Hop = VpnRouteAnswer['legs'][number]['hops'][number]

/** One line a node: role, name in this devnet, short id and country. */
export function hopLines(hops: readonly Hop[], { nodes }: Named): readonly string[] {
  return hops.map(({ role, node, country, simulated }) => {
    const name = nodes.find(({ id }) => id === node)?.name ?? ''
    return `${role.padEnd(5)}  ${name.padEnd(10)}  …${node.slice(-8)}  ${country}${simulated ? ' (simulated)' : ''}`
  })
}

function noExit(): WeftError {
  return new WeftError({
    code: 'E_TOUR_SEEN',
    cause: 'The page came, but the client names no route whose exit is a node of this network.',
    fix: 'See weft vpn route, and start the tour again.',
  })
}
