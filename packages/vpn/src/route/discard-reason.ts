import type { DidKey } from '@weft/crypto'

/** Why a member did not come into question for a position; the first four are a conflict with another node. */
export const DISCARD_REASONS = [
  'chosen',
  'family',
  'network',
  'as',
  'role',
  'excluded',
  'wish',
  'farther',
  'no-guard',
  'called',
  'failed',
  'busy',
  'saturated',
  'red',
] as const
export type DiscardReason = (typeof DISCARD_REASONS)[number]

export interface Discard {
  readonly node: DidKey
  readonly reason: DiscardReason
  /** Of a conflict: with whom; empty otherwise. */
  readonly beside: DidKey | ''
}

const WORDS: Readonly<Record<DiscardReason, string>> = {
  chosen: 'already in the route',
  family: 'same family',
  network: 'same network',
  as: 'same AS',
  role: 'not of the role',
  excluded: 'this node itself, or the exit of other routes that stand ready',
  wish: 'not the exit that was asked for, or that other legs lead to',
  farther: 'farther from the target than others, or not asked',
  'no-guard': 'none of the guards that routes begin at now',
  called: 'called over these routes, so not their entry',
  failed: 'failed lately, or cannot be reached',
  busy: 'in another route, or a guard of another leg',
  saturated: 'saturated, by its own word',
  red: 'unhealthy, as this client measured',
}

/** A reason in words. */
export function discardWords(reason: DiscardReason): string {
  return WORDS[reason]
}
