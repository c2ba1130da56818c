export interface OptionSpec {
  /** As commander reads it: `-o, --output <file>` or `--force`. */
  readonly flags: string
  readonly description: string
  readonly choices?: readonly string[]
  /** The value when it is not given; shown in the help. */
  readonly fallback?: string
  /** May be given several times. */
  readonly repeats?: boolean
}

interface ArgumentSpec {
  /** As commander reads it: `<ref>` or `[key]`. */
  readonly name: string
  readonly description: string
  readonly choices?: readonly string[]
}

/** One command as help and completion see it. */
export interface DescribedCommand {
  /** `weft devnet up` is ['devnet', 'up']. */
  readonly words: readonly string[]
  readonly summary: string
  readonly arguments?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  /** Whole lines that work when pasted. */
  readonly examples: readonly string[]
  /** Further words for the help, where the options do not say it all. */
  readonly notes?: string
}

/** Words that only group commands, such as `devnet`. */
export interface GroupSpec {
  readonly words: readonly string[]
  readonly summary: string
  /** Further words for the help, where its commands need each other. */
  readonly notes?: string
}
