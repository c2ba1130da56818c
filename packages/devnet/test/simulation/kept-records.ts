import assert from 'node:assert/strict'
import { utf8 } from '@weft/core'
import type { SimulatedNode } from '../../src/simulation/simulated-node.ts'
import type { Simulation } from '../../src/simulation/simulation.ts'
import { overlayOf } from './overlay-of.ts'

const HOUR_MS = 3_600_000

/** Records that nodes wrote, to be read again. */
export interface KeptRecords {
  readonly keys: readonly Uint8Array[]
  readonly values: readonly Uint8Array[]
  /** What each put came to, of how many holders how many have it. */
  readonly puts: readonly { readonly holders: number; readonly acknowledged: number }[]
}

/** Writes as many records at once, each for an hour. @param writer of the record of this number */
export async function writeRecords(
  simulation: Simulation,
  count: number,
  writer: (at: number) => SimulatedNode | undefined,
): Promise<KeptRecords> {
  const expiresAt = simulation.time + HOUR_MS
  const values = Array.from({ length: count }, (_, at) => utf8(`record ${at}`))
  const writing = values.map((value, at) => recordsOf(writer(at)).putImmutable(value, expiresAt))
  const puts = await simulation.settle(Promise.all(writing))
  return { keys: puts.map(({ key }) => key), values, puts }
}

/** Reads all of them at once; fails when one cannot be read or is another. @param reader of the record of this number */
export async function readRecords(
  simulation: Simulation,
  { keys, values }: KeptRecords,
  reader: (at: number) => SimulatedNode | undefined,
): Promise<void> {
  const gets = keys.map((key, at) => recordsOf(reader(at)).get(key))
  const read = await simulation.settle(Promise.all(gets))
  assert.deepEqual(
    read.map(({ value }) => value),
    values,
  )
}

function recordsOf(node: SimulatedNode | undefined) {
  assert.ok(node !== undefined)
  return overlayOf(node).records
}
