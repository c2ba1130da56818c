import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { summarise } from '../lib/summarise.ts'
import { NetworkProcess, type Operation } from './network-process.ts'
import { NODES, VALUE } from './real-network.ts'

/** Operations a sample; the sample is their median. */
const OPERATIONS = 11
const PEERS = ['hyperdht', 'kad-dht'] as const

/** Records and lookups beside other networks, each as it is, on loopback. */
const bench: Bench = async () => ({
  name: 'overlay-networks',
  rows: await realRows(),
  versions: { hyperdht: versionOf('hyperdht'), '@libp2p/kad-dht': versionOf('@libp2p/kad-dht') },
  notes: [
    `${NODES} nodes and a client of each kind on loopback, those of a kind in one process, on one thread; in turn; a sample is the median of ${OPERATIONS} operations with values of ${VALUE} bytes, one after the other. The three do not do the same: Weft's put is signed, encrypted on the way and synced to disk at 14 of 20 holders at least before it returns; hyperdht and kad-dht keep values in memory. kad-dht has one kind of record. Weft's lookup is that of a client without the map, verified against signatures and proofs; whoever holds the map needs none.`,
    'A get of what its owner may replace asks 14 of the 20 holders, so that the newest acknowledged value is among the answers; each call is a TLS record, a frame of the muxer and a signal each way, 0.25 ms on both sides together (overlay-transport). Fourteen of them on one thread cannot take 1 ms; the profile has no part above 10 % (9 % writev, 4 % garbage collection, the rest events and promises of the streams). A get of what never changes ends with the first right answer of two.',
    MACHINE_NOTE,
  ],
})

async function realRows(): Promise<BenchRow[]> {
  await using weft = await NetworkProcess.start('weft')
  await using hyperdht = await NetworkProcess.start('hyperdht')
  await using kadDht = await NetworkProcess.start('kad-dht')
  const rows: BenchRow[] = []
  for (const [what, operation, goal] of [
    ['record put', 'put', 5],
    ['record get', 'get', 1],
    ['record put, immutable', 'putImmutable', 5],
    ['record get, immutable', 'getImmutable', 1],
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
  rows.push(await machineRow())
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
