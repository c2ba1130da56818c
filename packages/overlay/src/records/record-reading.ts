import { WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type Answers, describeFailures, failuresOf } from './ask-holders.ts'
import type { HolderGroup, RecordPlan } from './record-placement.ts'
import type { HolderAnswer } from './record-peers.ts'
import { type VerifiedRecord, compareVersions } from './record.ts'

export interface Reading {
  /** The newest version; undefined when nobody who answered has any. */
  readonly newest: VerifiedRecord | undefined
  readonly quorum: boolean
  /** Holders of the newest map that answered. */
  readonly answered: number
  /** Holders, of earlier maps too, that answered with the newest version. */
  readonly copies: number
  /** Another value of the newest sequence was seen, too. */
  readonly forked: boolean
}

/**
 * True when each group has its quorum, or the value cannot change: an immutable record is whole with one answer. Its
 * expiry is signed by nobody, so one answer that calls it expired is the word of one holder only.
 * @param now ms since the Unix epoch
 */
export function isEnough(plan: RecordPlan, answers: Answers<HolderAnswer>, now: number): boolean {
  for (const record of answers.given.values()) if (record?.kind === 'immutable' && record.expiresAt > now) return true
  return plan.holders.length > 0 && plan.groups.every((group) => answeredIn(group, answers) >= group.required)
}

/**
 * Draws the conclusion from what holders answered; of one value the longest life that any of them tells counts.
 * @param now ms since the Unix epoch
 * @throws WeftError E_RECORD_CONFLICT when two values of the newest sequence exist and neither can have been
 * acknowledged: an acknowledged one is at N - f holders, so every quorum shows it at N - 2f at least, and a second
 * value of the sequence can never reach that.
 */
export function readAnswers(plan: RecordPlan, answers: Answers<HolderAnswer>, now: number): Reading {
  const answered = answeredIn(plan.groups[0], answers)
  const quorum = isEnough(plan, answers, now)
  const versions: { record: VerifiedRecord; at: Set<DidKey> }[] = []
  for (const [id, record] of answers.given) {
    if (record === undefined) continue
    const known = versions.find((version) => isSameValue(version.record, record))
    if (known === undefined) versions.push({ record, at: new Set([id]) })
    else {
      known.at.add(id)
      if (record.expiresAt > known.record.expiresAt) known.record = record
    }
  }
  const highest = Math.max(...versions.map(({ record }) => record.sequence))
  const [first, ...others] = versions.filter(({ record }) => record.sequence === highest)
  if (first === undefined) return { newest: undefined, quorum, answered, copies: 0, forked: false }
  if (others.length === 0) return { newest: first.record, quorum, answered, copies: first.at.size, forked: false }
  const acknowledged = [first, ...others].filter(({ at }) =>
    plan.groups.some((group) => group.ids.intersection(at).size >= group.required - group.faults),
  )
  const [winner, second] = acknowledged
  if (winner === undefined || second !== undefined) throw forked(highest, others.length + 1)
  return { newest: winner.record, quorum, answered, copies: winner.at.size, forked: true }
}

/** @throws WeftError always: E_RECORD_UNAVAILABLE */
export function throwUnavailable(plan: RecordPlan, answers: Answers<HolderAnswer>): never {
  const group = plan.groups[0]
  const answered = answeredIn(group, answers)
  throw new WeftError({
    code: 'E_RECORD_UNAVAILABLE',
    cause:
      plan.holders.length === 0
        ? 'No member that could hold the record is known yet.'
        : `${answered} of ${group.ids.size} holders answered and none of them has the record; ${group.required} are needed to say that there is none. Silent: ${describeFailures(answers)}.`,
    fix: 'Try again when more members are reachable (`weft members`); look at the network with `weft check`.',
    retryable: true,
    details: { answered, required: group.required, holders: group.ids.size, silent: failuresOf(answers) },
  })
}

function answeredIn(group: HolderGroup, answers: Answers<HolderAnswer>): number {
  let count = 0
  for (const id of answers.given.keys()) if (group.ids.has(id)) count++
  return count
}

function isSameValue(a: VerifiedRecord, b: VerifiedRecord): boolean {
  return ['same', 'longer'].includes(compareVersions(a, b)) || compareVersions(b, a) === 'longer'
}

function forked(sequence: number, values: number): WeftError {
  return new WeftError({
    code: 'E_RECORD_CONFLICT',
    cause: `The owner signed ${values} values with the same sequence ${sequence}, and none of them was acknowledged.`,
    fix: `The owner has to write again with a sequence above ${sequence}.`,
    details: { sequence, values },
  })
}
