import type { Tier } from '@weft/onion'
import type { BenchRow } from '../lib/bench-result.ts'
import { summarise } from '../lib/summarise.ts'
import { attack } from './attack.ts'
import { OBSERVED_MS, type PlayedFlow, type WORKLOADS, type Workload, play } from './workloads.ts'

const MEASURED: readonly Tier[] = ['off', 'standard', 'high']
/** Flows of each workload and tier: one half to learn from, the other to be judged on. */
export const FLOWS = process.env['WEFT_LONG'] === undefined ? 40 : 240
/** Groups of flows, of which each gives one figure of latency. */
const GROUPS = 5
const IDLE_FLOWS = 24
const FULL_FLOWS = 5
const CELL = 1_440
const DAY_MS = 86_400_000
const WARM_UP_FLOWS = 2

const WORDS: Readonly<Record<(typeof WORKLOADS)[number], string>> = {
  chat: 'messages, in the middle',
  chatBegins: 'messages, from the beginning',
  call: 'a call, in the middle',
  callBegins: 'a call, from the beginning',
  pages: 'pages',
  download: 'a download',
}

/** A part of the bench. */
export type Part = (typeof WORKLOADS)[number] | 'idle' | 'full'

export function measurePart(part: Part): BenchRow[] {
  for (let seed = 0; seed < WARM_UP_FLOWS; seed++) play('pages', 9_000 + seed, 'high')
  if (part === 'idle') return idleRows()
  return part === 'full' ? fullRows() : workloadRows(part)
}

/** What the attacks find of a workload in each tier, and what the tiers add to it. */
function workloadRows(workload: (typeof WORKLOADS)[number]): BenchRow[] {
  const plain = playAll(workload, 'off')
  return MEASURED.flatMap((tier) => {
    const flows = tier === 'off' ? plain : playAll(workload, tier)
    const what = `${WORDS[workload]}, ${tier}`
    return [...attackRows(what, workload, flows), ...(tier === 'off' ? [] : costRows(what, plain, flows))]
  })
}

function playAll(workload: Workload, tier: Tier): PlayedFlow[] {
  return Array.from({ length: FLOWS }, (_, seed) => play(workload, seed + 1, tier))
}

function attackRows(what: string, workload: Workload, flows: readonly PlayedFlow[]): BenchRow[] {
  const { correlation, learned } = attack(flows, OBSERVED_MS[workload], 5)
  const samples = Math.ceil(flows.length / 2)
  const row = (name: string, { value, low, high }: typeof learned): BenchRow => ({
    what: `${what}: ${name}`,
    unit: 'AUC',
    median: value,
    min: low,
    max: high,
    samples,
  })
  const best = correlation.found > learned.found ? correlation : learned
  return [
    row('correlation', correlation),
    row('learned', learned),
    {
      what: `${what}: found, at one false in a hundred`,
      unit: '%',
      median: 100 * best.found,
      min: 100 * best.foundLow,
      max: 100 * best.foundHigh,
      samples,
    },
  ]
}

function costRows(what: string, plain: readonly PlayedFlow[], flows: readonly PlayedFlow[]): BenchRow[] {
  const added = inGroups(flows).map((group, at) => {
    const cells = (of: readonly PlayedFlow[]): number => of.reduce((sum, flow) => sum + flow.cells, 0)
    return 100 * (cells(group) / cells(inGroups(plain)[at] as PlayedFlow[]) - 1)
  })
  const late = (part: number): number[] =>
    inGroups(flows).map((group, at) => waitAt(group, part) - waitAt(inGroups(plain)[at] as PlayedFlow[], part))
  return [
    { what: `${what}: added bytes`, unit: '%', ...summarise(added) },
    { what: `${what}: added latency p50`, unit: 'ms', ...summarise(late(0.5)) },
    { what: `${what}: added latency p99`, unit: 'ms', ...summarise(late(0.99)) },
  ]
}

function inGroups(flows: readonly PlayedFlow[]): PlayedFlow[][] {
  return Array.from({ length: GROUPS }, (_, group) => flows.filter((_flow, at) => at % GROUPS === group))
}

function waitAt(flows: readonly PlayedFlow[], part: number): number {
  const waits = flows.flatMap((flow) => flow.waits).sort((a, b) => a - b)
  return waits[Math.min(waits.length - 1, Math.floor(waits.length * part))] ?? Number.NaN
}

/** Cells of a circuit that nobody uses, on the client's link. */
function idleRows(): BenchRow[] {
  return MEASURED.map((tier) => {
    const bytes = Array.from({ length: IDLE_FLOWS }, (_, seed) => {
      const { linkUp, linkDown } = play('idle', seed + 1, tier)
      return ((linkUp.times.length + linkDown.times.length) * CELL * (DAY_MS / OBSERVED_MS.idle)) / 1e6
    })
    return {
      what: `a circuit at rest, ${tier}: at the client, both ways`,
      unit: 'MB a day',
      better: 'lower',
      ...summarise(bytes),
    }
  })
}

function fullRows(): BenchRow[] {
  return MEASURED.map((tier) => {
    const rates = Array.from(
      { length: FULL_FLOWS },
      (_, seed) => play('full', seed + 1, tier).bytes / OBSERVED_MS.full / 1_000,
    )
    return { what: `a download that fills 20 Mbit/s, ${tier}`, unit: 'MB/s', ...summarise(rates) }
  })
}
