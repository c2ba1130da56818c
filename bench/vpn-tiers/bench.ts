import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { FLOWS, type Part } from './measure-workload.ts'
import { WORKLOADS } from './workloads.ts'

// What the tiers are worth against somebody who sees a flow at both of its ends, and what they cost.

const bench: Bench = async () => {
  const parts: readonly Part[] = [...WORKLOADS, 'idle', 'full']
  const waiting = [...parts]
  const measured = new Map<Part, BenchRow[]>()
  const work = async (): Promise<void> => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      console.error(`bench: ${part}`)
      measured.set(part, await measureApart(part))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  const rows = parts.flatMap((part) => measured.get(part) ?? [])
  return {
    name: 'vpn-tiers',
    rows,
    notes: [
      'No design of low latency defeats somebody who sees both ends of all flows and waits long enough, and none of these tiers does. The figures are of an observer who knows when each packet passed between one client and its entry, and between one exit and one target, for 30 s (a call 20, a download 12), and asks whether the two are one flow.',
      `AUC: the chance that a true pair is judged likelier than one of the same link with another target; 1 finds all, 0.5 is guessing. Median is the value on ${FLOWS / 2} flows that nothing was learned from, min and max its 95 % bootstrap interval over flows, samples the flows. All others do the same kind of thing at the same time: who does another thing is easier to tell apart. Found: of true pairs, so many are above the bar that one false pair in a hundred passes; of ten thousand clients that are a hundred beside the true one.`,
      `Correlation: Pearson's of counts in bins, the best of four widths (20 ms to 2 s), three readings, both directions, over lags of 160 ms; which one is chosen on the ${FLOWS / 2} other flows. Learned: a small network on all of these, volumes and beginnings, trained on the same. A larger one, more flows or a longer look can only do better: the figures bound the tiers from above, not the attacker.`,
      'Played: client, entry, relay and exit with the circuits, sessions and cryptography that ship, on a virtual clock, links of 8, 12 and 12 ms with 0.3 ms of jitter, the client on 20 Mbit/s; timers of 1 ms as in a node. The client asks its hops for signs of life and counters as a node does, in all flows. Nobody else uses these nodes, which favours the attacker.',
      'Messages: 60 to 600 bytes every 2 s at random, each answered. A call: 50 datagrams a second either way while that side speaks (1.2 s on average, pauses of 1.8). Pages: a document and 4 to 24 parts, pauses of 2 to 10 s and more. A download: a target whose rate changes. From the beginning: the observer sees it begin; in the middle: it went on for 10 s before.',
      "Added bytes: cells on all three links beside those of the same use in `off`. Added latency: of the first byte of an answer, or of a datagram on its one way to the target; p50 and p99 of five groups of flows. Downloads of their own rate fill the client's line of 20 Mbit/s.",
    ],
  }
}

/** In a thread of its own: time is virtual, so that nothing measured depends on how many run. */
async function measureApart(part: Part): Promise<BenchRow[]> {
  const worker = new Worker(new URL('./measure.worker.ts', import.meta.url), { workerData: part })
  const [rows] = (await once(worker, 'message')) as [BenchRow[]]
  return rows
}

export default bench
