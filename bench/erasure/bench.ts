import { ReedSolomon } from '@weft/erasure'
import type { BenchResult, BenchRow } from '../lib/bench-result.ts'
import { summarise } from '../lib/summarise.ts'
import { type LibisalPeer, loadLibisal } from './libisal.ts'

/** One segment of storage. */
const SEGMENT_BYTES = 16 * 1024 * 1024
const SAMPLES = 9
/** Bytes of all shards that fit a second-level cache together with the kernel's own memory. */
const CACHED_BYTES = 256 * 1024
/** MB/s of data that the storage design asks of 20 + 40 on one thread. */
const GOAL_20_40 = 600

const CODES = [
  { k: 10, n: 20 },
  { k: 20, n: 40 },
  { k: 20, n: 60, goal: GOAL_20_40 },
  { k: 3, n: 9 },
] as const

/**
 * Reed–Solomon on one thread in MB/s of data (10^6 bytes): encoding a segment, and the worst reconstruction, that of
 * all data shards there can be missing. Beside it, in alternation and on the same buffers, Debian's libisal2; as the
 * raw limit a copy of as many bytes as there are of parity; and the same code on shards that stay in the cache, which
 * tells the computation from the way to and from memory.
 */
export default function bench(): Promise<BenchResult> {
  const rows: BenchRow[] = []
  const libisal = loadLibisal()
  for (const code of CODES) rows.push(...benchCode(code.k, code.n, 'goal' in code ? code.goal : undefined, libisal))
  const notes = [
    'MB/s of data, 10^6 bytes; parity is written on top. Median of alternating runs on one thread.',
    'What `encode` takes longer than `encode, shards in the cache` is the way from and to memory.',
  ]
  if (libisal === undefined)
    notes.push('libisal.so.2 is not installed (apt-get install libisal2): no peer was measured.')
  return Promise.resolve({ name: 'erasure', rows, notes })
}

function benchCode(k: number, n: number, goal: number | undefined, libisal: LibisalPeer | undefined): BenchRow[] {
  const length = Math.ceil(SEGMENT_BYTES / k)
  const data = Array.from({ length: k }, (_, shard) => filled(length, shard))
  const parity = Array.from({ length: n - k }, (_, shard) => filled(length, shard))
  const code = new ReedSolomon(k, n)
  const peer = libisal?.encoder(k, n)
  const missing = Math.min(k, n - k)
  const wanted = Array.from({ length: missing }, (_, index) => index)
  const recovered = wanted.map((shard) => filled(length, shard))
  const kept = [...data, ...parity].map((shard, index) => (index < missing ? undefined : shard))

  const cachedLength = Math.floor(CACHED_BYTES / n)
  const cached = [...data, ...parity].map((shard) => shard.slice(0, cachedLength))
  const cachedData = cached.slice(0, k)
  const cachedParity = cached.slice(k)
  const repeats = Math.round(length / cachedLength)

  const encodes: number[] = []
  const encodesInCache: number[] = []
  const peers: number[] = []
  const copies: number[] = []
  const recoveries: number[] = []
  // The first round warms up the compiler and the pages, and is thrown away.
  for (let round = 0; round <= SAMPLES; round++) {
    const encode = rate(k * length, () => code.encodeInto(data, parity))
    const recovery = rate(k * length, () => code.reconstructInto(kept, wanted, recovered))
    const encodeInCache = rate(k * cachedLength * repeats, () => {
      for (let repeat = 0; repeat < repeats; repeat++) code.encodeInto(cachedData, cachedParity)
    })
    const copy = rate(k * length, () => {
      for (const [at, target] of parity.entries()) target.set(data[at % k] as Uint8Array)
    })
    const isal = peer === undefined ? undefined : rate(k * length, () => peer(data, parity))
    if (round === 0) continue
    encodes.push(encode)
    encodesInCache.push(encodeInCache)
    recoveries.push(recovery)
    copies.push(copy)
    if (isal !== undefined) peers.push(isal)
  }

  const name = `${k}+${n - k}`
  const own = row(`${name} encode`, encodes, goal)
  const others = [
    row(`${name} encode, shards in the cache`, encodesInCache),
    row(`${name} reconstruct ${missing}`, recoveries),
    row(`${name} raw limit: copy of the parity's bytes`, copies),
  ]
  if (peers.length === 0) return [own, ...others]
  const isal = row(`${name} encode by libisal`, peers)
  const ratioToPeer = Number((own.median / isal.median).toFixed(2))
  return [{ ...own, peer: 'libisal', ratioToPeer }, isal, ...others]
}

function rate(bytes: number, work: () => void): number {
  const start = performance.now()
  work()
  return bytes / 1000 / (performance.now() - start)
}

function row(what: string, samples: readonly number[], goal?: number): BenchRow {
  return { what, unit: 'MB/s', ...summarise(samples.map(Math.round)), ...(goal === undefined ? {} : { goal }) }
}

function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 17 + seed) & 0xff)
}
