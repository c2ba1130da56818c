/** One rule of the repository, small enough to be read whole. */
export interface RepositoryRule {
  /** Shown when it is broken; says what must hold. */
  readonly name: string
  /** One line for each breach, naming the file and what to do; empty when the rule holds. */
  check(root: string): readonly string[]
}
