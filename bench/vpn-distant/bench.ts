import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { curlVersion } from '../vpn/curl.ts'
import { DistantNetwork } from './distant-network.ts'

// One stream over three hops whose first is far away, beside a TCP connection over the same link.

const BASE_PORT = 28_800
const SIZE = 20_000_000
/** Round trip, ms, and part of the packets that is lost each way. */
const LINKS = [
  { rttMs: 20, loss: 0 },
  { rttMs: 20, loss: 0.001, ratioGoal: 0.8 },
  { rttMs: 100, loss: 0.001 },
] as const

const bench: Bench = async () => {
  const rows: BenchRow[] = []
  for (const { rttMs, loss, ...goals } of LINKS) {
    const what = `one stream, GET of 20 MB, at ${rttMs} ms and ${loss * 100} % loss`
    console.error(`bench: ${what}`)
    await using network = await DistantNetwork.up({ basePort: BASE_PORT, link: { delayMs: rttMs / 2, loss } })
    const figures = await measureInTurn({
      weft: () => network.download('weft', SIZE),
      direct: () => network.download('direct', SIZE),
    })
    const [weft, direct] = [summarise(figures.weft), summarise(figures.direct)]
    rows.push({ what, unit: 'MB/s', ...weft, peer: 'direct TCP', ratioToPeer: weft.median / direct.median, ...goals })
    rows.push({ what: `${what}, by TCP`, unit: 'MB/s', ...direct })
  }
  return {
    name: 'vpn-distant',
    rows,
    versions: { curl: curlVersion() },
    notes: [
      'A client in one network namespace; a validator, an entry, a relay, an exit and the server in another; between them a process that carries IP packets of 1,500 bytes at most over TUN interfaces, late and with losses in both directions. Weft and TCP (the kernel’s, with BBR) take turns. All share two cores.',
    ],
  }
}

export default bench
