import { randomInt, seededRandom } from '@weft/core'
import { LOOKUP_LIMITS } from '../../packages/overlay/src/lookup/lookup-limits.ts'
import { type Conduct, CONDUCTS, type Found, LookupNetwork } from '../../packages/overlay/test/lookup/lookup-network.ts'
import type { BenchRow } from '../lib/bench-result.ts'
import { summarise } from '../lib/summarise.ts'

const SEED = 2_026
const MEMBERS = 10_000
const SAMPLES = 5
/** Lookups a sample; twenty times as many with `--long`. */
const LOOKUPS = process.env['WEFT_LONG'] === undefined ? 100 : 2_000
/** Targets near which hostile members have chosen their places. */
const TARGETS = 40
const DRAWS = 4

interface Sample {
  /** Lookups in 100 that gave exactly the list of the whole map. */
  readonly right: number
  readonly hops: number
  readonly questions: number
  readonly kB: number
  readonly p50: number
  readonly p95: number
}

/** Lookups in a network of which some members are hostile and collude. */
export async function hostileRows(): Promise<BenchRow[]> {
  const mixed = (random: Parameters<typeof randomInt>[0]): Conduct =>
    CONDUCTS[randomInt(random, CONDUCTS.length)] as Conduct
  const random = seededRandom(SEED)
  const targets = Array.from({ length: TARGETS }, () => random.bytes(32))
  const base = { seed: SEED, members: MEMBERS }
  return [
    ...(await rowsOf('nobody hostile', new LookupNetwork({ ...base, hostile: 0 }))),
    ...(await rowsOf('10 % name only their own', new LookupNetwork({ ...base, hostile: 0.1 }))),
    ...(await rowsOf('25 % name only their own', new LookupNetwork({ ...base, hostile: 0.25 }), { goal: 99.9 })),
    ...(await rowsOf('33 % name only their own', new LookupNetwork({ ...base, hostile: 0.33 }))),
    ...(await rowsOf('25 %, each lies in its own way', new LookupNetwork({ ...base, hostile: 0.25, conduct: mixed }), {
      goal: 99.9,
    })),
    ...(await rowsOf(
      '25 % name only their own, places chosen',
      new LookupNetwork({ ...base, hostile: 0.25, ground: { targets, draws: DRAWS } }),
      { goal: 99.9, targets },
    )),
  ]
}

/** How many paths are needed: as many nodes are known as there are paths, so that none can be added. */
export async function pathRows(): Promise<BenchRow[]> {
  const network = new LookupNetwork({ seed: SEED, members: MEMBERS, hostile: 0.25 })
  const rows: BenchRow[] = []
  for (const paths of [1, 2, 4, 8]) {
    const samples = await samplesOf(network, { contacts: paths, limits: { ...LOOKUP_LIMITS, paths } })
    const what = `25 % name only their own, ${paths} ${paths === 1 ? 'path' : 'paths'}: right`
    rows.push({ what, unit: '%', ...summarise(samples.map(({ right }) => right)), better: 'higher' })
  }
  return rows
}

async function rowsOf(
  what: string,
  network: LookupNetwork,
  { goal, targets }: { readonly goal?: number; readonly targets?: readonly Uint8Array[] } = {},
): Promise<BenchRow[]> {
  const samples = await samplesOf(network, {}, targets)
  const of = (pick: (sample: Sample) => number) => summarise(samples.map(pick))
  return [
    {
      what: `${what}: right`,
      unit: '%',
      ...of(({ right }) => right),
      better: 'higher',
      ...(goal === undefined ? {} : { goal }),
    },
    { what: `${what}: hops`, unit: '', ...of(({ hops }) => hops) },
    { what: `${what}: questions`, unit: '', ...of(({ questions }) => questions) },
    { what: `${what}: traffic`, unit: 'kB', ...of(({ kB }) => kB) },
    { what: `${what}: time, p50`, unit: 'ms', ...of(({ p50 }) => p50) },
    { what: `${what}: time, p95`, unit: 'ms', ...of(({ p95 }) => p95) },
  ]
}

async function samplesOf(
  network: LookupNetwork,
  options: Parameters<LookupNetwork['find']>[1],
  targets?: readonly Uint8Array[],
): Promise<Sample[]> {
  const random = seededRandom(SEED + 1)
  const samples: Sample[] = []
  while (samples.length < SAMPLES) {
    const found: Found[] = []
    for (let at = 0; at < LOOKUPS; at++) {
      found.push(await network.find(targets?.[at % targets.length] ?? random.bytes(32), options))
    }
    const mean = (pick: (one: (typeof found)[number]) => number): number =>
      found.reduce((sum, one) => sum + pick(one), 0) / found.length
    const times = found.map(({ ms }) => ms).toSorted((a, b) => a - b)
    samples.push({
      right: 100 * mean(({ isRight }) => Number(isRight)),
      hops: mean(({ result }) => result.hops),
      questions: mean(({ questions }) => questions),
      kB: mean(({ bytes }) => bytes / 1_000),
      p50: times[Math.floor(times.length * 0.5)] ?? Number.NaN,
      p95: times[Math.floor(times.length * 0.95)] ?? Number.NaN,
    })
  }
  return samples
}
