import { randomBytes } from 'node:crypto'
import { CellQueue } from '../../packages/onion/src/queue/cell-queue.ts'

const CELLS = 400_000
const BATCH = 400

/** µs that a cell costs at a node's queue: where nothing waits, and where each waits a turn among those of `circuits`. */
export function queueCost(circuits: number): { readonly passed: number; readonly waited: number } {
  const queue = new CellQueue<number>({
    clock: { monotonic: () => performance.now() },
    drops: { queueFull: 0, queueLate: 0 },
    pass: () => {},
    onRoom: () => {},
    onWaiting: () => {},
  })
  const flows = Array.from({ length: circuits }, (_, at) => queue.flow(at, 'peer', false))
  const body = new Uint8Array(randomBytes(1_404))
  const each = (run: (batch: number) => void): number => {
    const began = performance.now()
    for (let batch = 0; batch < CELLS / BATCH; batch++) run(batch)
    return ((performance.now() - began) * 1_000) / CELLS
  }
  const passed = each(() => {
    queue.begin(BATCH)
    for (let at = 0; at < BATCH; at++) queue.mayPass()
    queue.serve()
  })
  const waited = each((batch) => {
    queue.begin(BATCH)
    for (let at = 0; at < BATCH; at++) {
      const flow = flows[(batch + at) % circuits]
      if (flow !== undefined) queue.enqueue(flow, body)
    }
    queue.serve()
  })
  return { passed, waited }
}
