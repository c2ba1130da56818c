import type { ThreadUsage } from './thread-usage.ts'

/** Why the main thread came late. */
export const BLOCK_CAUSES = ['computation', 'garbage collection', 'blocking call', 'waiting for a processor'] as const
export type BlockCause = (typeof BLOCK_CAUSES)[number]

/**
 * Tells a block's cause from what the thread used meanwhile: most of it collecting garbage, computing, or waiting for a
 * processor that others had; what is none of these was a call that blocks (a disk, a lock, a stopped process).
 * @param blockedMs how late the thread came
 * @param collectedMs ms of garbage collection in that time
 */
export function causeOfBlock(
  blockedMs: number,
  before: ThreadUsage,
  after: ThreadUsage,
  collectedMs: number,
): BlockCause {
  const half = blockedMs / 2
  if (collectedMs > half) return 'garbage collection'
  const waitedMs = before.waitedMs === undefined || after.waitedMs === undefined ? 0 : after.waitedMs - before.waitedMs
  const computedMs = after.processorMs - before.processorMs
  if (computedMs > half && computedMs >= waitedMs) return 'computation'
  return waitedMs > half ? 'waiting for a processor' : 'blocking call'
}
