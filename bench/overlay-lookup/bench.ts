import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { HyperDhtNetwork } from './hyperdht-network.ts'
import { KadDhtNetwork } from './kad-dht-network.ts'
import { NODES, type RealNetwork, VALUE } from './real-network.ts'
import { hostileRows, pathRows } from './simulated-lookups.ts'
import { WeftNetwork } from './weft-network.ts'

/** Operations a sample; the sample is their median. */
const OPERATIONS = 11
const PEERS = ['hyperdht', 'kad-dht'] as const

/** Lookups: right among liars, in a network that is played; and beside other networks on loopback, as they are. */
const bench: Bench = async () => {
  const real = await realRows()
  return {
    name: 'overlay-lookup',
    rows: [...(await hostileRows()), ...(await pathRows()), ...real],
    versions: { hyperdht: versionOf('hyperdht'), '@libp2p/kad-dht': versionOf('@libp2p/kad-dht') },
    notes: [
      'Simulated rows: 10,000 members with real entries, proofs and messages, the lookup and the answers as they ship, on a virtual clock from one seed; the caller holds no map and knows 16 members at random. Right is a lookup whose list is the 20 holders of the whole map, all of them and in order. A sample is 200 lookups (2,000 with `--long`), so that 0.5 % is one lookup.',
      'Links take 25 to 75 ms one way, 50 on average; a first call to a node takes two more round trips for TCP and TLS. Time counts from nothing: the heads of maps are asked for first.',
      'Who names only its own knows all hostile members and proves the twenty nearest; "each in its own way": of those who lie a seventh each names only its own, leads on, names honest members far off, is silent, answers after 2.5 s, forges, or holds an old map. Places chosen: of four times as many keys as they have members the hostile keep those that fall nearest to the 40 targets of the lookups, so that they rightly hold two thirds of the places there.',
      'Paths: as many nodes are known as there are paths, so that doubt cannot add any.',
      `Real rows: ${NODES} nodes and a client of each kind in one process on loopback, in turn; a sample is the median of ${OPERATIONS} operations with values of ${VALUE} bytes, one after the other. The three do not do the same: Weft's put is signed, encrypted on the way and synced to disk at 14 of 20 holders at least before it returns; hyperdht and kad-dht keep values in memory. Weft's lookup is that of a client without the map, verified against signatures and proofs; whoever holds the map needs none.`,
    ],
  }
}

async function realRows(): Promise<BenchRow[]> {
  await using weft = await WeftNetwork.start()
  await using hyperdht = await HyperDhtNetwork.start()
  await using kadDht = await KadDhtNetwork.start()
  const networks = { weft, hyperdht, 'kad-dht': kadDht }
  const rows: BenchRow[] = []
  for (const [what, goal, once] of [
    ['record put', 5, (network: RealNetwork) => network.put()],
    ['record get', 1, (network: RealNetwork) => network.get()],
    ['lookup', undefined, (network: RealNetwork) => network.lookup()],
  ] as const) {
    const sample = (network: RealNetwork) => (): Promise<number> => medianOf(() => once(network))
    const figures = await measureInTurn({
      weft: sample(networks.weft),
      hyperdht: sample(networks.hyperdht),
      'kad-dht': sample(networks['kad-dht']),
    })
    const ours = summarise(figures.weft)
    const peer = summarise(figures.hyperdht)
    const compared = { peer: 'hyperdht', ratioToPeer: peer.median / ours.median }
    rows.push({
      what: `${NODES} nodes: ${what}, p50`,
      unit: 'ms',
      ...ours,
      ...(goal === undefined ? {} : { goal }),
      ...compared,
    })
    for (const name of PEERS) {
      rows.push({ what: `${NODES} nodes: ${what}, p50, by ${name}`, unit: 'ms', ...summarise(figures[name]) })
    }
  }
  return rows
}

async function medianOf(once: () => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < OPERATIONS; at++) {
    const start = performance.now()
    await once()
    times.push(performance.now() - start)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(OPERATIONS / 2)] ?? Number.NaN
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, '../../node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

export default bench
