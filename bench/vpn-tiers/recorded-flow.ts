/** Packets of one direction at one place: when, ms from the beginning of the observation, and how much each was. */
export interface Recording {
  readonly times: number[]
  readonly amounts: number[]
}

/** What an attacker sees of one flow at its two ends. */
export interface RecordedFlow {
  /** Cells between client and entry, each of one amount. */
  readonly linkUp: Recording
  readonly linkDown: Recording
  /** Bytes between exit and target. */
  readonly targetUp: Recording
  readonly targetDown: Recording
}

export function newRecording(): Recording {
  return { times: [], amounts: [] }
}
