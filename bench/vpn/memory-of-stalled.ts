import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Scope, silentLogger, systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type Overlay, createOverlay, networkIdOf, parseNetworkFile } from '@weft/overlay'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import { routeMembers } from '../../packages/vpn/src/route/route-members.ts'
import type { BenchDevnet, DevnetUp } from '../lib/bench-devnet.ts'
import { rssOf } from '../lib/rss-of.ts'
import type { HttpTarget } from './http-target.ts'
import { CIRCUITS_PER_ENTRY, StalledCircuits } from './stalled-circuits.ts'

/** MB, more than before the first circuit. */
export interface Growth {
  readonly relay: number
  readonly exit: number
}

/** At least: a link of a client carries 64 circuits at most. */
const ENTRIES = 2
const MAP_MS = 30_000

/** How much more memory a relay and an exit have while `circuits` circuits through both are stalled; one figure a round. */
export async function memoryOfStalled(
  devnet: BenchDevnet,
  nodes: DevnetUp['nodes'],
  target: HttpTarget,
  { circuits, rounds }: { readonly circuits: number; readonly rounds: number },
): Promise<readonly Growth[]> {
  const network = parseNetworkFile(readFileSync(join(devnet.network, 'network.json'), 'utf8'))
  await using scope = new Scope({ name: 'bench' })
  const overlay = await createOverlay({
    network,
    key: SigningKey.generate(),
    roles: ['client'],
    listen: [],
    family: 'bench',
    directory: join(devnet.directory, 'overlay'),
    clock: systemClock,
    logger: silentLogger,
    scope,
  })
  const chosen = chooseNodes(await carriers(overlay))
  const relay = pidOf(nodes, chosen.relay)
  const exit = pidOf(nodes, chosen.exit)
  const init = { networkId: networkIdOf(network), ...chosen, target }
  // One circuit, so that code and first buffers are there before the count begins.
  await (await StalledCircuits.open({ ...init, circuits: 1 }))[Symbol.asyncDispose]()
  const before = { relay: rssOf(relay), exit: rssOf(exit) }
  const growths: Growth[] = []
  for (let round = 0; round < rounds; round++) {
    await using clients = new AsyncDisposableStack()
    const most = CIRCUITS_PER_ENTRY * chosen.entries.length
    for (let left = circuits; left > 0; left -= most)
      clients.use(await StalledCircuits.open({ ...init, circuits: Math.min(left, most) }))
    growths.push({ relay: rssOf(relay) - before.relay, exit: rssOf(exit) - before.exit })
  }
  return growths
}

/** Members that carry packets, once the signed map is there. */
async function carriers(overlay: Overlay): Promise<readonly RouteMember[]> {
  const { membership } = overlay
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`no signed map within ${MAP_MS / 1_000} s`)), MAP_MS)
  const look = (): void => {
    if (routeMembers(membership.members()).some(({ roles }) => roles.includes('exit'))) resolve()
  }
  const forget = membership.onChange(look)
  look()
  try {
    await promise
  } finally {
    clearTimeout(timer)
    forget()
  }
  return routeMembers(membership.members())
}

function chooseNodes(
  members: readonly RouteMember[],
): Pick<Parameters<typeof StalledCircuits.open>[0], 'entries' | 'relay' | 'exit'> {
  const exit = members.find(({ roles }) => roles.includes('exit'))
  const [relay, ...others] = members.filter(({ id, roles }) => id !== exit?.id && roles.includes('relay'))
  const entries = others.filter(({ roles }) => roles.includes('entry'))
  if (exit === undefined || relay === undefined || entries.length < ENTRIES)
    throw new Error(`${members.length} members that carry packets are too few`)
  return { entries, relay, exit }
}

function pidOf(nodes: DevnetUp['nodes'], { id }: RouteMember): number {
  const node = nodes.find((each) => each.id === id)
  if (node === undefined) throw new Error(`no process of the devnet is ${id}`)
  return node.pid
}
