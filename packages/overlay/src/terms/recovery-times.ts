import { timeoutsOf } from '../agreement/timeouts.ts'
import type { NetworkFile } from '../network/network-file.ts'

/** ms: the agreement of electors goes as if an epoch were so long, so that those at the ends of the world keep up. */
const PACE_MS = 30_000
export const RECOVERY_TIMEOUTS = timeoutsOf(PACE_MS)
/** ms for which an elector that was heard is taken to be there. */
export const THERE_MS = 8 * RECOVERY_TIMEOUTS.pull
/** ms for which a proposer first listens who is there. */
export const LISTEN_MS = RECOVERY_TIMEOUTS.pull
/** ms, and map epochs, between a decision and the term's first epoch: members bring the new validators their certificates. */
const NOTICE_MS = 10_000
const NOTICE_EPOCHS = 2
/** ms for which the last map of a term may be the anchor of the next: 14 days, as long as any map is believed. */
const LONGEST_SILENCE_MS = 14 * 24 * 3_600_000

/** Map epochs that a proposer leaves between the one that goes on and the first of the term. */
export function noticeEpochs({ mapEpochMs }: NetworkFile): number {
  return Math.max(NOTICE_EPOCHS, Math.ceil(NOTICE_MS / mapEpochMs))
}

/** Map epochs that the first of a term is behind its anchor, at least: for so long validators have to be silent. */
export function silenceEpochs({ recoveryAfterMs, mapEpochMs }: NetworkFile): number {
  return Math.floor(recoveryAfterMs / mapEpochMs)
}

/** Map epochs that the first of a term is behind its anchor, at most. */
export function longestSilenceEpochs(file: NetworkFile): number {
  return Math.ceil(LONGEST_SILENCE_MS / file.mapEpochMs) + 2 * noticeEpochs(file)
}

/**
 * Map epochs behind the anchor of a term after which a node that still had maps of the term before does not believe in it:
 * every certificate of the time of the anchor has ended by then.
 */
export function splitEpochs({ recoveryAfterMs, certificateTtlMs, mapEpochMs }: NetworkFile): number {
  return Math.ceil((recoveryAfterMs + certificateTtlMs) / mapEpochMs)
}
