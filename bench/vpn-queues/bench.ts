import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { BenchDevnet, weft } from '../lib/bench-devnet.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { clientConnected } from '../lib/client-connected.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { measure } from '../lib/measure.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { DatagramEcho } from '../vpn-datagrams/datagram-echo.ts'
import { HttpTarget } from '../vpn/http-target.ts'
import { socksConnect } from '../vpn/socks-connect.ts'
import { type PacedFigures, echoPaced } from './paced-echo.ts'
import { queueCost } from './queue-cost.ts'

// A call beside a download without end, through daemons of which the exit carries so much and no more.

const BASE_PORT = 29_600
const PROXY = BASE_PORT + 1
const LIMIT_MBPS = 40
/** Fewer have one exit only, which all routes then share. */
const NODES = 7
const ENDLESS = 100_000_000_000
const CALL = { everyMs: 20, count: 250 }
/** ms until a download fills the way. */
const FILL_MS = 2_000
const GOAL_MS = 10

const bench: Bench = async () => {
  await using devnet = new BenchDevnet(BASE_PORT, NODES)
  await using target = await HttpTarget.listen()
  using echo = await DatagramEcho.listen()
  const { nodes } = await devnet.up()
  const exit = nodes.find(({ roles }) => roles.includes('exit'))
  if (exit === undefined) throw new Error('the devnet has no exit')
  appendFileSync(join(devnet.network, exit.name, 'weft.toml'), `\n[relay]\nlimit_mbps = ${LIMIT_MBPS}\n`)
  await weft(['devnet', 'restart', exit.name, '--dir', devnet.network])
  await clientConnected(devnet.client)

  const call = (user?: string): Promise<PacedFigures> =>
    echoPaced(PROXY, echo.port, { ...CALL, ...(user === undefined ? {} : { user }) })
  const rates: number[] = []
  const beside = async (user?: string): Promise<PacedFigures> => {
    const download = await socksConnect(PROXY, target.port)
    let bytes = 0
    download.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('error', () => {})
    download.write(`GET /${ENDLESS} HTTP/1.1\r\nHost: bench\r\n\r\n`)
    try {
      await new Promise((resume) => setTimeout(resume, FILL_MS))
      const [before, began] = [bytes, performance.now()]
      const figures = await call(user)
      rates.push((bytes - before) / (performance.now() - began) / 1_000)
      return figures
    } finally {
      download.destroy()
    }
  }
  console.error('bench: a call alone, beside a download of another route, and beside one of its own')
  const figures = await measureInTurn({
    alone: () => call('call'),
    apart: () => beside('call'),
    together: () => beside(),
  })
  const rows: BenchRow[] = []
  for (const at of ['p50', 'p99'] as const) {
    rows.push({
      what: `a call alone, there and back, ${at}`,
      unit: 'ms',
      ...summarise(figures.alone.map((one) => one[at])),
    })
    const added = figures.apart.map((one, round) => one[at] - (figures.alone[round]?.[at] ?? Number.NaN))
    rows.push({
      what: `beside a download of another circuit, ${at}, added`,
      unit: 'ms',
      ...summarise(added),
      ...(at === 'p99' ? { goal: GOAL_MS } : {}),
    })
    const same = figures.together.map((one, round) => one[at] - (figures.alone[round]?.[at] ?? Number.NaN))
    rows.push({ what: `beside a download of its own circuit, ${at}, added`, unit: 'ms', ...summarise(same) })
  }
  rows.push({
    what: `lost of ${CALL.count} beside a download of another circuit`,
    unit: 'datagrams',
    ...summarise(figures.apart.map(({ lost }) => lost)),
  })
  rows.push({ what: `the download, limit ${LIMIT_MBPS / 8} MB/s of packets`, unit: 'MB/s', ...summarise(rates) })
  for (const [words, circuits] of [
    ['one circuit', 1],
    ['1,000 circuits', 1_000],
  ] as const) {
    const { waited, passed } = {
      waited: await measure(() => queueCost(circuits).waited),
      passed: await measure(() => queueCost(circuits).passed),
    }
    rows.push({ what: `a cell that waits, among those of ${words}`, unit: 'µs', ...waited })
    if (circuits === 1) rows.push({ what: 'a cell where nothing waits', unit: 'µs', ...passed })
  }
  rows.push(await machineRow())
  return {
    name: 'vpn-queues',
    rows,
    notes: [
      `SOCKS5 over entry, relay and exit in processes of their own; the exit has relay.limit_mbps = ${LIMIT_MBPS}, and all routes end there. The call: a datagram of 200 B every ${CALL.everyMs} ms to a UDP echo server, ${CALL.count} a sample. Client, nodes, program and servers share two cores; the three take turns.`,
      MACHINE_NOTE,
    ],
  }
}

export default bench
