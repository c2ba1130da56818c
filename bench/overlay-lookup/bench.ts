import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { NetworkProcess, type Operation } from './network-process.ts'
import { NODES, VALUE } from './real-network.ts'
import { hostileRows, pathRows } from './simulated-lookups.ts'

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
      'Simulated rows: 10,000 members with real entries, proofs and messages, the lookup and the answers as they ship, on a virtual clock from one seed; the caller holds no map and knows 16 members at random. Right is a lookup whose list is the 20 holders of the whole map, all of them and in order. A sample is 100 lookups (2,000 with `--long`), so that 1 % is one lookup.',
      'Links take 25 to 75 ms one way, 50 on average; a first call to a node takes two more round trips for TCP and TLS. Time counts from nothing: the heads of maps are asked for first.',
      'Who names only its own knows all hostile members and proves the twenty nearest; "each in its own way": of those who lie a seventh each names only its own, leads on, names honest members far off, is silent, answers after 2.5 s, forges, or holds an old map. Places chosen: of four times as many keys as they have members the hostile keep those that fall nearest to the 40 targets of the lookups, so that they rightly hold two thirds of the places there.',
      'Paths: as many nodes are known as there are paths, so that doubt cannot add any.',
      `Real rows: ${NODES} nodes and a client of each kind on loopback, those of a kind in one process, on one thread; in turn; a sample is the median of ${OPERATIONS} operations with values of ${VALUE} bytes, one after the other. The three do not do the same: Weft's put is signed, encrypted on the way and synced to disk at 14 of 20 holders at least before it returns; hyperdht and kad-dht keep values in memory. Weft's lookup is that of a client without the map, verified against signatures and proofs; whoever holds the map needs none.`,
    ],
  }
}

async function realRows(): Promise<BenchRow[]> {
  await using weft = await NetworkProcess.start('weft')
  await using hyperdht = await NetworkProcess.start('hyperdht')
  await using kadDht = await NetworkProcess.start('kad-dht')
  const rows: BenchRow[] = []
  for (const [what, operation, goal] of [
    ['record put', 'put', 5],
    ['record get', 'get', 1],
    ['lookup', 'lookup', undefined],
  ] as const) {
    const figures = await measureInTurn({
      weft: () => medianOf(weft, operation),
      hyperdht: () => medianOf(hyperdht, operation),
      'kad-dht': () => medianOf(kadDht, operation),
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

async function medianOf(network: NetworkProcess, operation: Operation): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < OPERATIONS; at++) times.push(await network.measure(operation))
  return times.toSorted((a, b) => a - b)[Math.floor(OPERATIONS / 2)] ?? Number.NaN
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, '../../node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

export default bench
