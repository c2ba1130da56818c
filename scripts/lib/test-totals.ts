/** The names of the runner's closing counts, in the order in which Node prints them. */
const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const

type Count = (typeof COUNTS)[number]

const CLOSING_LINE = new RegExp(`^(${[...COUNTS, 'duration_ms'].join('|')}) (\\d+(?:\\.\\d+)?)$`)

/** Adds up the closing counts of several runs, so that one set of them can be printed for all. */
export class TestTotals {
  readonly #counts = new Map<Count, number>()

  /** @returns true when `message` is one of the runner's closing lines, which is then counted */
  add(message: string): boolean {
    const [, name, value] = CLOSING_LINE.exec(message) ?? []
    if (name === undefined) return false
    const count = COUNTS.find((known) => known === name)
    if (count !== undefined) this.#counts.set(count, this.get(count) + Number(value))
    return true
  }

  get(count: Count): number {
    return this.#counts.get(count) ?? 0
  }

  /** True when there were tests and none of them failed or was cut off. */
  get ok(): boolean {
    return this.get('tests') > 0 && this.get('fail') === 0 && this.get('cancelled') === 0
  }

  /** The closing lines as Node's spec reporter prints them. */
  render(durationMs: number): string {
    return [...COUNTS.map((count) => `${count} ${this.get(count)}`), `duration_ms ${Math.round(durationMs)}`]
      .map((line) => `ℹ ${line}\n`)
      .join('')
  }
}
