/** What a devnet that starts or stops tells of itself. */
export interface DevnetProgress {
  readonly step: 'processes' | 'members' | 'peers' | 'stopping'
  readonly done: number
  readonly total: number
  /** One line for people, e.g. "9 of 10 members certified". */
  readonly text: string
}

export type OnProgress = (progress: DevnetProgress) => void
