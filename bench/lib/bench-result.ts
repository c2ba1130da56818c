/** One figure of a bench. */
export interface BenchRow {
  /** What was measured, such as `put 100 MB`. */
  readonly what: string
  /** Of median, min, max and goal, such as `MB/s` or `ms`. */
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  /** How many runs the median is of; at least five. */
  readonly samples: number
  /** What the design asks for, in `unit`. */
  readonly goal?: number
  /** Whether more or less is better; by default more for units per second, less for all others. */
  readonly better?: 'higher' | 'lower'
  /** What stands beside it, measured in the same run. */
  readonly peer?: string
  /** Ours against the peer's; above 1 where Weft is better. */
  readonly ratioToPeer?: number
  /** What the design asks for, as a ratio to the peer. */
  readonly ratioGoal?: number
}

export interface BenchResult {
  /** The name of the bench's directory. */
  readonly name: string
  readonly rows: readonly BenchRow[]
  /** Versions of the peers and of what else decides a figure, by name. */
  readonly versions?: Readonly<Record<string, string>>
  /** What a reader must know to judge the figures: method, what is missing, where the time goes. */
  readonly notes?: readonly string[]
}

/** The default export of every `bench/NAME/bench.ts`. */
export type Bench = () => Promise<BenchResult>
