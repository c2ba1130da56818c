import { SERVER, TunNetwork } from '../../test/lib/tun-network.ts'
import { weftJson } from '../../test/lib/weft.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { measure } from '../lib/measure.ts'
import { type Summary, summarise } from '../lib/summarise.ts'
import { curlVersion } from '../vpn/curl.ts'
import { DistantNetwork } from '../vpn-distant/distant-network.ts'
import { iperf, iperfVersion } from '../vpn-tun/iperf.ts'

// A line that is slower than the processors: what the packet format leaves of it, and what a TCP connection beside it gets.

const BASE_PORT = 28_900
const TUN_PORT = 29_300
const MBIT = 100
const SIZE = 50_000_000
/** Bytes of a packet on the wire: Ethernet, IPv4, UDP and itself; and of a stream in it over three hops, at most (docs/specs/packets.md). */
const PACKET_BYTES = 14 + 20 + 8 + 1_440
const PAYLOAD_BYTES = 1_329
/** Type, stream, offset of 4 bytes (docs/specs/session.md, Frames): a frame that fills its packet has no length. */
const FRAME_BYTES = 1 + 1 + 4
/** MB/s that the format can carry at most. */
const BOUND = (MBIT / 8) * ((PAYLOAD_BYTES - FRAME_BYTES) / PACKET_BYTES)

const bench: Bench = async () => {
  const rows = [...(await streamRows()), ...(await tunRows())]
  return {
    name: 'vpn-held',
    rows,
    versions: { curl: curlVersion(), iperf3: iperfVersion() },
    notes: [
      `The format's own bound is ${BOUND.toFixed(2)} MB/s: ${PAYLOAD_BYTES - FRAME_BYTES} bytes of a stream in each ${PACKET_BYTES} on the wire, acknowledgements apart. The goal is 98 % of it.`,
      'A client in one network namespace, all others in another; between them a wire whose ends send 100 Mbit/s (token bucket, at most 50 ms of queue). TCP is the kernel’s, with BBR for curl.',
      'The whole machine: namespaces as in vpn-tun, the wire of the client held; direct TCP goes over that wire alone, before the tunnel is there.',
    ],
  }
}

function beside(ours: Summary, theirs: Summary, ratioGoal: number) {
  return { peer: 'direct TCP', ratioToPeer: ours.median / theirs.median, ratioGoal }
}

async function streamRows(): Promise<BenchRow[]> {
  await using network = await DistantNetwork.up({ basePort: BASE_PORT, link: { heldAtMbit: MBIT } })
  console.error('bench: one stream, then one TCP connection')
  const { weft, direct } = await measureInTurn({
    weft: () => network.download('weft', SIZE),
    direct: () => network.download('direct', SIZE),
  })
  const [ours, theirs] = [summarise(weft), summarise(direct)]
  console.error('bench: both at once')
  const { together } = await measureInTurn({
    together: async () => {
      const speeds = await Promise.all([network.download('weft', SIZE), network.download('direct', SIZE)])
      return speeds[0] / speeds[1]
    },
  })
  const what = `one stream over three hops on a link of ${MBIT} Mbit/s, GET of 50 MB`
  return [
    { what, unit: 'MB/s', ...ours, goal: 0.98 * BOUND, ...beside(ours, theirs, 0.91) },
    { what: `${what}, by TCP`, unit: 'MB/s', ...theirs },
    {
      what: 'speed of such a stream to that of a TCP connection that begins with it',
      unit: 'times',
      better: 'higher',
      ...summarise(together),
    },
  ]
}

/** The same line, for all that a machine sends and gets. */
async function tunRows(): Promise<BenchRow[]> {
  await using network = await TunNetwork.up(TUN_PORT, { oneExit: true, heldAtMbit: MBIT })
  const ways = [
    ['up', []],
    ['down', ['-R']],
  ] as const
  const size = ['-n', '50M']
  const client = network.namespace('c')
  console.error('bench: TCP over the line of a machine')
  const direct: Summary[] = []
  for (const [, words] of ways)
    direct.push(
      await measure(() => iperf({ server: network.namespace('n'), client, host: network.lan }, [...size, ...words])),
    )
  await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
  const rows: BenchRow[] = []
  for (const [at, [way, words]] of ways.entries()) {
    const what = `the whole machine over three hops on a link of ${MBIT} Mbit/s, one TCP connection ${way}, iperf3`
    console.error(`bench: ${what}`)
    const ours = await measure(() =>
      iperf({ server: network.namespace('s'), client, host: SERVER }, [...size, ...words]),
    )
    const theirs = direct[at] as Summary
    rows.push({ what, unit: 'Mbit/s', ...ours, ...beside(ours, theirs, 0.88) })
    rows.push({ what: `${what}, without the tunnel`, unit: 'Mbit/s', ...theirs })
  }
  return rows
}

export default bench
