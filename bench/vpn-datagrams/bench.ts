import { BenchDevnet } from '../lib/bench-devnet.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { clientConnected } from '../lib/client-connected.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { DatagramEcho, type DatagramFigures, type DatagramLoad, echoDatagrams } from './datagram-echo.ts'

// UDP over three hops of the devnet's daemons, beside a socket that goes straight to the same server.

const BASE_PORT = 29_400
const ALONE: DatagramLoad = { bytes: 200, count: 1_000, window: 1 }
const LOADS: readonly (readonly [string, DatagramLoad])[] = [
  ['200 B', { bytes: 200, count: 20_000, window: 64 }],
  ['1,200 B', { bytes: 1_200, count: 20_000, window: 64 }],
  ['1,472 B, in two parts', { bytes: 1_472, count: 20_000, window: 64 }],
]

const bench: Bench = async () => {
  await using devnet = new BenchDevnet(BASE_PORT)
  using target = await DatagramEcho.listen()
  await devnet.up()
  await clientConnected(devnet.client)
  const beside = (load: DatagramLoad): Promise<Readonly<Record<'weft' | 'direct', readonly DatagramFigures[]>>> =>
    measureInTurn({
      weft: () => echoDatagrams(target.port, BASE_PORT + 1, load),
      direct: () => echoDatagrams(target.port, undefined, load),
    })

  const rows: BenchRow[] = []
  console.error('bench: round trips one after the other')
  const alone = await beside(ALONE)
  for (const at of ['p50', 'p99'] as const) {
    const added = alone.weft.map((figure, round) => figure[at] - (alone.direct[round]?.[at] ?? Number.NaN))
    rows.push({ what: `round trip of a datagram of 200 B, ${at}, added`, unit: 'ms', ...summarise(added) })
  }
  for (const [words, load] of LOADS) {
    console.error(`bench: datagrams of ${words}`)
    const { weft: ours, direct } = await beside(load)
    const of = (all: readonly DatagramFigures[], pick: (figure: DatagramFigures) => number) => summarise(all.map(pick))
    const what = `datagrams of ${words}, there and back`
    const lost = `lost of ${load.count.toLocaleString('en')}, ${words}`
    rows.push({ what, unit: '1/s', ...of(ours, ({ perSecond }) => perSecond) })
    rows.push({ what: `${what}, raw limit: no proxy`, unit: '1/s', ...of(direct, ({ perSecond }) => perSecond) })
    rows.push({ what: lost, unit: 'datagrams', ...of(ours, (figure) => figure.lost) })
  }
  rows.push(await machineRow())
  return {
    name: 'vpn-datagrams',
    rows,
    notes: [
      `SOCKS5 UDP ASSOCIATE to a UDP echo server on loopback over entry, relay and exit in processes of their own; client, three nodes, nine idle ones, and one process with program and server share two cores. Weft and direct take turns.`,
      `Rates: 64 datagrams under way at once, each sent when one before it came back. Round trips: one at a time, 1,000 a sample.`,
      MACHINE_NOTE,
    ],
  }
}

export default bench
