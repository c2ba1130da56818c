import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { HttpTarget } from '../vpn/http-target.ts'
import { socksConnect } from '../vpn/socks-connect.ts'
import { iperf, iperfVersion } from '../vpn-tun/iperf.ts'
import { WireguardPair, missingForWireguard } from '../vpn-tun/wireguard-pair.ts'
import { ManyNetwork } from './many-network.ts'

// Many clients over many small nodes, beside one server of the same line; and what they notice when a node dies.

const NODES = 12
const CLIENTS = 50
/** Mbit/s of each node, and of the server. */
const MBIT = 20
/** Bytes of a packet, and of what it travels in: Ethernet, IPv4, UDP, which the server's line counts, too. */
const PACKET_BYTES = 1_440
const WIRE_BYTES = 14 + 20 + 8 + PACKET_BYTES
const LIMIT = (MBIT / 8) * 1e6 * (PACKET_BYTES / WIRE_BYTES)
/** ms until all have found their speed, and for which they are measured. */
const START_MS = 4_000
const SPAN_MS = 10_000
const ENDLESS = 10_000_000_000
/** Ms in which a client is served again after a node is gone, or the bench fails. */
const SERVED_MS = 30_000
const PEER = 'one wireguard-go server'

const bench: Bench = async () => {
  const missing = missingForWireguard()
  if (missing !== undefined) throw new Error(missing)
  await using target = await HttpTarget.listen()
  await using network = await ManyNetwork.up(NODES, LIMIT)
  await using pair = await WireguardPair.up(MBIT)
  const path = { server: pair.namespace('s'), client: pair.namespace('c'), host: pair.server }
  console.error('bench: all clients at once')
  const figures = await measureInTurn({
    weft: () => together(network, target.port),
    wireguard: () => iperf(path, ['-R', '-P', String(CLIENTS), '-O', '4', '-t', '10']),
  })
  const [weft, wireguard] = [summarise(figures.weft), summarise(figures.wireguard)]
  console.error('bench: each node killed once')
  const served = await killEach(network, target.port)
  const what = `${CLIENTS} clients over ${NODES} nodes of ${MBIT} Mbit/s, together`
  const rows: BenchRow[] = [
    {
      what,
      unit: 'Mbit/s',
      ...weft,
      peer: PEER,
      ratioToPeer: weft.median / wireguard.median,
      ratioGoal: 3,
    },
    { what: `${CLIENTS} TCP connections over ${PEER} of ${MBIT} Mbit/s, together`, unit: 'Mbit/s', ...wireguard },
    { what: `all ${CLIENTS} served again after one of the nodes is killed`, unit: 's', ...summarise(served) },
  ]
  return {
    name: 'vpn-many',
    rows,
    versions: { iperf3: iperfVersion() },
    notes: [
      `Nodes are packet engines, each in a process of its own on loopback, all of them entry, relay and exit, with their own limit; clients are ${CLIENTS} more engines in one process, each with routes and a proxy of its own, made anew for each sample. The overlay is not there: each knows all nodes. A route takes a node's limit three times, so the bound is ${(NODES * MBIT) / 3} Mbit/s, headers of packets and acknowledgements included.`,
      `wireguard-go's line is a wire that is held at ${MBIT} Mbit/s each way (token bucket).`,
      `Each node is killed once (SIGKILL) while nothing else is carried; each client then fetches 1,000 bytes over a new connection, again and again until it has them. What is measured is when the last of them has.`,
    ],
  }
}

/** Mbit/s that all clients get together. */
async function together(network: ManyNetwork, port: number): Promise<number> {
  await using clients = await network.clients(CLIENTS)
  let bytes = 0
  const sockets = await Promise.all(
    clients.proxies.map(async (proxy) => {
      const socket = await get(proxy, port, ENDLESS)
      return socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('error', () => {})
    }),
  )
  await wait(START_MS)
  const [from, begun] = [bytes, performance.now()]
  await wait(SPAN_MS)
  const speed = ((bytes - from) * 8) / ((performance.now() - begun) * 1_000)
  for (const socket of sockets) socket.destroy()
  return speed
}

/** Seconds after each node's end until every client has been served. */
async function killEach(network: ManyNetwork, port: number): Promise<readonly number[]> {
  await using clients = await network.clients(CLIENTS)
  const times: number[] = []
  for (let at = 0; at < network.size; at++) {
    await Promise.all(clients.proxies.map((proxy) => fetched(proxy, port)))
    await network.kill(at)
    const begun = performance.now()
    await Promise.all(clients.proxies.map((proxy) => fetched(proxy, port)))
    times.push((performance.now() - begun) / 1_000)
    await network.restart(at)
  }
  return times
}

/** Resolves once a page came whole. */
async function fetched(proxy: number, port: number): Promise<void> {
  const deadline = performance.now() + SERVED_MS
  for (;;) {
    try {
      const socket = await get(proxy, port, 1_000)
      let bytes = 0
      for await (const chunk of socket) bytes += (chunk as Buffer).length
      if (bytes > 1_000) return
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
  }
}

async function get(proxy: number, port: number, length: number): Promise<Socket> {
  const socket = await socksConnect(proxy, port)
  socket.write(`GET /${length} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`)
  return socket
}

export default bench
