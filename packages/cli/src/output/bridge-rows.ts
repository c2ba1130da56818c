import type { Fault } from '@weft/core'

/** A bridge as the daemon that runs says how it does. */
export interface RunningBridge {
  readonly name: string
  readonly state: 'used' | 'ready' | 'failed'
  readonly fault?: Fault | undefined
}

export interface BridgeRow extends Partial<RunningBridge> {
  readonly name: string
  /** It was taken out of the home, and the daemon calls by it until it is started anew. */
  readonly removed?: true
}

/**
 * The bridges of a home, and those that only the daemon still has, which reads them at its start.
 * @param kept names of those of the home
 * @param running undefined where no daemon runs
 */
export function bridgeRows(kept: readonly string[], running: readonly RunningBridge[] | undefined): BridgeRow[] {
  const removed = (running ?? []).filter(({ name }) => !kept.includes(name))
  return [
    ...kept.map((name) => ({ name, ...running?.find((each) => each.name === name) })),
    ...removed.map((each) => ({ ...each, removed: true as const })),
  ]
}

/** What a row says of its state. */
export function bridgeStateWords({ state, removed }: BridgeRow, isRunning: boolean): string {
  if (state === undefined) return isRunning ? 'from the next start on' : '-'
  return removed === true ? `${state}, until the next start` : state
}
