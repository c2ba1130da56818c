import { ReedSolomon } from '@weft/erasure'
import { type LibisalPeer, loadLibisal } from './libisal.ts'

/** One figure: median, least and most of the samples, in `unit`. `ratioToPeer` is above 1 where Weft is better. */
interface BenchRow {
  readonly what: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly samples: number
  readonly goal?: number
  readonly peer?: string
  readonly ratioToPeer?: number
}

interface BenchResult {
  readonly name: string
  readonly rows: BenchRow[]
  readonly notes?: string[]
}

/** One segment of storage. */
const SEGMENT_BYTES = 16 * 1024 * 1024
const SAMPLES = 9
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
 * all data shards there can be missing. Beside it, in alternation and on the same buffers, Debian's libisal2, and as the
 * raw limit a copy of as many bytes as the code reads and writes.
 */
export default function bench(): Promise<BenchResult> {
  const rows: BenchRow[] = []
  const libisal = loadLibisal()
  for (const code of CODES) rows.push(...benchCode(code.k, code.n, 'goal' in code ? code.goal : undefined, libisal))
  const notes = ['MB/s of data, 10^6 bytes; parity is written on top. Median of alternating runs on one thread.']
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

  const encodes: number[] = []
  const peers: number[] = []
  const copies: number[] = []
  const recoveries: number[] = []
  // The first round warms up the compiler and the pages, and is thrown away.
  for (let round = 0; round <= SAMPLES; round++) {
    const encode = rate(k * length, () => code.encodeInto(data, parity))
    const recovery = rate(k * length, () => code.reconstructInto(kept, wanted, recovered))
    const copy = rate(k * length, () => {
      for (const [at, target] of parity.entries()) target.set(data[at % k] as Uint8Array)
    })
    const isal = peer === undefined ? undefined : rate(k * length, () => peer(data, parity))
    if (round === 0) continue
    encodes.push(encode)
    recoveries.push(recovery)
    copies.push(copy)
    if (isal !== undefined) peers.push(isal)
  }

  const name = `${k}+${n - k}`
  const own = row(`${name} encode`, encodes, goal)
  const limit = row(`${name} raw limit: copy of the parity's bytes`, copies)
  if (peers.length === 0) return [own, row(`${name} reconstruct ${missing}`, recoveries), limit]
  const isal = row(`${name} encode by libisal`, peers)
  return [
    { ...own, peer: 'libisal', ratioToPeer: Number((own.median / isal.median).toFixed(2)) },
    isal,
    row(`${name} reconstruct ${missing}`, recoveries),
    limit,
  ]
}

function rate(bytes: number, work: () => void): number {
  const start = performance.now()
  work()
  return bytes / 1000 / (performance.now() - start)
}

function row(what: string, samples: readonly number[], goal?: number): BenchRow {
  const sorted = samples.toSorted((a, b) => a - b).map((value) => Math.round(value))
  const median = sorted[sorted.length >> 1] as number
  const min = sorted[0] as number
  const max = sorted.at(-1) as number
  return { what, unit: 'MB/s', median, min, max, samples: sorted.length, ...(goal === undefined ? {} : { goal }) }
}

function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 17 + seed) & 0xff)
}
