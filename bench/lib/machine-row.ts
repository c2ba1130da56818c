import { hash, randomBytes } from 'node:crypto'
import type { BenchRow } from './bench-result.ts'
import { measure } from './measure.ts'

const BYTES = 100_000_000
const MEGA = 1e6

/** What a core does at this time, for figures of a machine that others use as well. */
export async function machineRow(): Promise<BenchRow> {
  const block = randomBytes(BYTES)
  const speed = await measure(() => {
    const started = performance.now()
    hash('sha256', block)
    return BYTES / MEGA / ((performance.now() - started) / 1000)
  })
  return { what: 'the machine meanwhile: SHA-256 by OpenSSL, one thread', unit: 'MB/s', ...speed }
}

/** What there is to say beside that row. */
export const MACHINE_NOTE = 'Machines differ and are shared: compare with another run by the row of SHA-256.'
