import type { VirtualClock } from '@weft/core'
import type { CertificatePool } from '../../src/admission/certificate-pool.ts'

/** Reads what a pool has on its disk, however often it lets others have the thread. */
export async function readAll(pool: CertificatePool, clock: VirtualClock): Promise<void> {
  const read = pool.read(new AbortController().signal)
  while (!pool.isWhole) await clock.advance(0)
  await clock.advance(0)
  await read
}
