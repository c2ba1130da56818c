import { TunNetwork, SERVER } from '../../test/lib/tun-network.ts'
import { weftJson } from '../../test/lib/weft.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { type IperfPath, iperf, iperfVersion } from './iperf.ts'
import { WireguardPair, missingForWireguard } from './wireguard-pair.ts'

// The whole machine over three hops, beside a tunnel of one hop in user space: what iperf3 gets out of either.

const BASE_PORT = 29_300
const BYTES = '100M'
const WAYS = [
  ['one TCP connection, up', []],
  ['one TCP connection, down', ['-R']],
  ['eight TCP connections, down', ['-R', '-P', '8']],
] as const
/** Tiers of the client, each with a profile that has it and all else by default. */
const TIERS = [
  ['off', 'fast'],
  ['standard', 'default'],
] as const
const PEER = 'wireguard-go, one hop'

const bench: Bench = async () => {
  const missing = missingForWireguard()
  if (missing !== undefined) throw new Error(missing)
  await using network = await TunNetwork.up(BASE_PORT, { oneExit: true })
  await using pair = await WireguardPair.up()
  const ours: IperfPath = { server: network.namespace('s'), client: network.namespace('c'), host: SERVER }
  const theirs: IperfPath = { server: pair.namespace('s'), client: pair.namespace('c'), host: pair.server }
  const rows: BenchRow[] = []
  for (const [tier, profile] of TIERS) {
    await weftJson(['vpn', 'down'], network.env)
    await weftJson(['vpn', 'profile', 'use', profile], network.env)
    await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    for (const [way, words] of WAYS) {
      const what = `iperf3, ${way}, \`${tier}\``
      console.error(`bench: ${what}`)
      const figures = await measureInTurn({
        weft: () => iperf(ours, ['-n', BYTES, ...words]),
        wireguard: () => iperf(theirs, ['-n', BYTES, ...words]),
      })
      const [weft, wireguard] = [summarise(figures.weft), summarise(figures.wireguard)]
      const ratioGoal = tier === 'off' ? { ratioGoal: 1 } : {}
      rows.push({
        what,
        unit: 'Mbit/s',
        ...weft,
        peer: PEER,
        ratioToPeer: weft.median / wireguard.median,
        ...ratioGoal,
      })
      rows.push({ what: `${what}, by ${PEER}`, unit: 'Mbit/s', ...wireguard })
    }
  }
  return {
    name: 'vpn-tun',
    rows,
    versions: { iperf3: iperfVersion() },
    notes: [
      'Weft: a client in one network namespace, entry and relay in a second, the exit in a third, the server in a fourth, with wires (veth) between them; packets of 1,280 bytes in the tunnel. wireguard-go: two namespaces and one wire, its MTU of 1,420. They take turns; all share two cores.',
    ],
  }
}

export default bench
