import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { BenchDevnet, type DevnetUp, weft } from '../lib/bench-devnet.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { type ProcessorTime, packetThreadTime } from '../lib/packet-thread-time.ts'
import { summarise } from '../lib/summarise.ts'
import { useProfile } from '../lib/use-profile.ts'
import { curlVersion, download } from '../vpn/curl.ts'
import { HttpTarget } from '../vpn/http-target.ts'
import { aeadCost } from './aead-cost.ts'
import { downloadOverCircuits } from './over-circuits.ts'
import { type Place, routeProcesses } from './route-hops.ts'

// What a packet costs at each place of a route, where it goes, and what comes of more circuits and more processors.

const BASE_PORT = 29_300
const NODES = 6
const SIZE = 200_000_000
const ROUNDS = 5
const CIRCUITS = [1, 2, 4, 8, 16] as const
/** Bytes that each of a round's downloads over several circuits gets, all together. */
const TOGETHER = 160_000_000
const PLACES: readonly Place[] = ['client', 'entry', 'relay', 'exit']
const MICRO = 1e6
/** Tiers whose cells are counted, each with the profile whose copy, of one leg, the client has meanwhile. */
const TIERS = [
  { tier: 'off', profile: 'fast' },
  { tier: 'standard', profile: 'default' },
] as const

type Cost = Record<Place, { all: number; kernel: number; aead: number }>

const bench: Bench = async () => {
  const versions = { curl: curlVersion() }
  await using devnet = new BenchDevnet(BASE_PORT, NODES)
  await using target = await HttpTarget.listen()
  const { nodes } = await devnet.up()
  const rows: BenchRow[] = []
  for (const { tier, profile } of TIERS) {
    console.error(`bench: cost of a cell, ${tier}`)
    await useOneLeg(devnet, profile)
    const costs = await cellCosts(devnet, nodes, target.port)
    rows.push(...(tier === 'off' ? costRows(costs) : tierRows(tier, costs)))
  }
  await useProfile(devnet, 'fast')
  rows.push(...(await circuitRows(target.port)), ...(await processorRows(nodes, target.port)))
  return {
    name: 'vpn-cost',
    rows,
    versions,
    notes: [
      `Downloads over three hops of the devnet's daemons by curl, on loopback, suite auto; without a tier where none is named. A cell's cost: over one leg, so that all cells of a download pass the same nodes; all else over two. Processor time is of the packet threads alone (proc(5)); a cell is one that the relay passed on, in either direction, acknowledgements among them.`,
      'Kernel: system time of the thread. AEAD: header protection, link and layers of a cell of 1,329 bytes by the code that the hops run, measured alone in one thread over 256 slots. The rest: JavaScript, glue to native code, sockets of the exit and of the proxy, collection.',
      'Where the time of the packet threads goes (perf, cpu-clock, 33,000 samples of two downloads on a busy machine, 2026-11-23), of entry and relay, client, exit: calls from JavaScript to native code by koffi and Node-API 27, 22, 15 %; OpenSSL 17, 19, 11 %; kernel 18, 22, 25 %; JavaScript with its builtins 22, 24, 29 %; copies 3, 2, 8 %; garbage collection below 1 %; V8, libuv and libc otherwise 10 %. So of some 14 µs a cell over all hops 3.1 are what it takes to call OpenSSL some sixty times: a native call at no cost would give 200 MB/s. Tried: node:ffi of Node 26 takes 44 ns where koffi takes 34, for pointers of 64 bits; fewer and shorter calls of OpenSSL (EVP_Cipher, parameters in place of controls) save 3 %; libsodium for ChaCha20-Poly1305 takes 1.4 µs for a cell and OpenSSL 1.3; the same for a header 0.5 and 1.0.',
      'More circuits: with 16 in place of 1 a cell takes a quarter more at client, hops and exit alike, and the threads of the hops sleep and wake 2.6 times as often for as many cells (17,000 in place of 6,500 times for 368,000): batches are smaller.',
      'Circuits: one for each of as many downloads at once, by user names of SOCKS5. Processors: all processes of the network bound to the first of them, or to all; curl and the server are not bound.',
    ],
  }
}

/** Cells that a node passed on so far. */
async function forwarded(nodes: DevnetUp['nodes'], pid: number): Promise<number> {
  const node = nodes.find((one) => one.pid === pid)
  if (node === undefined) throw new Error(`process ${pid} is none of the network`)
  const { text } = await weft(['vpn', 'status', '--json'], node.home)
  const { carried } = JSON.parse(text) as { readonly carried?: { readonly packetsForwarded: number } }
  if (carried === undefined) throw new Error(`node ${node.name} carries no packets`)
  return carried.packetsForwarded
}

/** All cells of a download pass one entry and one relay. */
async function useOneLeg(devnet: BenchDevnet, profile: string): Promise<void> {
  const name = `${profile}-leg`
  await weft(['vpn', 'profile', 'copy', profile, name], devnet.client)
  await weft(['vpn', 'profile', 'set', name, '--legs', '1'], devnet.client)
  await useProfile(devnet, name)
}

/** Of each round what a cell took at each place, µs. */
async function cellCosts(devnet: BenchDevnet, nodes: DevnetUp['nodes'], port: number): Promise<readonly Cost[]> {
  const costs: Cost[] = []
  await download(BASE_PORT + 1, port, SIZE)
  for (let round = 0; round < ROUNDS; round++) {
    const route = await routeProcesses(devnet, nodes)
    const cells = await forwarded(nodes, route.relay)
    const before = timesOf(route)
    await download(BASE_PORT + 1, port, SIZE)
    const after = timesOf(route)
    const passed = (await forwarded(nodes, route.relay)) - cells
    const aead = await aeadCost()
    const at = (place: Place): Cost[Place] => {
      const kernel = after[place].kernel - before[place].kernel
      const all = after[place].user - before[place].user + kernel
      return { all: (all * MICRO) / passed, kernel: (kernel * MICRO) / passed, aead: aead[place] }
    }
    costs.push({ client: at('client'), entry: at('entry'), relay: at('relay'), exit: at('exit') })
  }
  return costs
}

function costRows(costs: readonly Cost[]): BenchRow[] {
  const rows = PLACES.flatMap((place): BenchRow[] => {
    const all = summarise(costs.map((cost) => cost[place].all))
    const kernel = summarise(costs.map((cost) => cost[place].kernel))
    const rest = summarise(costs.map((cost) => cost[place].all - cost[place].kernel - cost[place].aead))
    return [
      { what: `a cell at the ${place}`, unit: 'µs', ...all },
      { what: `a cell at the ${place}: kernel`, unit: 'µs', ...kernel },
      { what: `a cell at the ${place}: AEAD`, unit: 'µs', ...summarise(costs.map((cost) => cost[place].aead)) },
      { what: `a cell at the ${place}: the rest`, unit: 'µs', ...rest },
    ]
  })
  rows.push({
    what: 'cells a second through a core of the relay',
    unit: 'cells/s',
    ...summarise(costs.map(({ relay }) => MICRO / relay.all)),
    goal: 300_000,
  })
  return rows
}

function tierRows(tier: string, costs: readonly Cost[]): BenchRow[] {
  return PLACES.map((place) => ({
    what: `a cell at the ${place}, \`${tier}\``,
    unit: 'µs',
    ...summarise(costs.map((cost) => cost[place].all)),
  }))
}

function timesOf(route: Readonly<Record<Place, number>>): Record<Place, ProcessorTime> {
  const { client, entry, relay, exit } = route
  return {
    client: packetThreadTime(client),
    entry: packetThreadTime(entry),
    relay: packetThreadTime(relay),
    exit: packetThreadTime(exit),
  }
}

async function circuitRows(port: number): Promise<BenchRow[]> {
  console.error('bench: circuits at once')
  const figures = await measureInTurn(
    Object.fromEntries(
      CIRCUITS.map((count) => [
        String(count),
        () => downloadOverCircuits(BASE_PORT + 1, port, { count, size: TOGETHER / count }),
      ]),
    ),
  )
  return CIRCUITS.map((count) => ({
    what: `${count === 1 ? '1 circuit' : `${count} circuits at once, together`}`,
    unit: 'MB/s',
    ...summarise(figures[String(count)] ?? []),
  }))
}

async function processorRows(nodes: DevnetUp['nodes'], port: number): Promise<BenchRow[]> {
  const count = availableParallelism()
  if (count < 2) return []
  console.error('bench: processors')
  const bind = (processors: string): void => {
    for (const { pid } of nodes) execFileSync('taskset', ['-a', '-c', '-p', processors, String(pid)])
  }
  const all = `0-${count - 1}`
  const on = (processors: string) => async () => {
    bind(processors)
    try {
      return await download(BASE_PORT + 1, port, SIZE)
    } finally {
      bind(all)
    }
  }
  const figures = await measureInTurn({ one: on('0'), all: on(all) })
  return [
    { what: 'one download, client and nodes on one processor', unit: 'MB/s', ...summarise(figures.one) },
    { what: `one download, client and nodes on ${count}`, unit: 'MB/s', ...summarise(figures.all) },
  ]
}

export default bench
