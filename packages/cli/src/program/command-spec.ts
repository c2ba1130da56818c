import type { Invocation } from './invocation.ts'

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

export interface ArgumentSpec {
  /** As commander reads it: `<ref>` or `[key]`. */
  readonly name: string
  readonly description: string
  readonly choices?: readonly string[]
}

export interface CommandModule {
  run(invocation: Invocation): Promise<void>
}

/**
 * One command as help, completion and the parser see it. The code that does it is loaded only when it is run: the
 * CLI starts in the time that the one command needs.
 */
export interface CommandSpec {
  /** `weft devnet up` is ['devnet', 'up']. */
  readonly words: readonly string[]
  readonly summary: string
  readonly arguments?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  /** Whole lines that work when pasted. */
  readonly examples: readonly string[]
  /** Further words for the help, where the options do not say it all. */
  readonly notes?: string
  readonly load: () => Promise<CommandModule>
}

/** A word that only groups commands, such as `devnet`. */
export interface GroupSpec {
  readonly word: string
  readonly summary: string
}
