import type { Simulation } from '../../src/simulation/simulation.ts'

/** What a run gives: the digest of its trace, and what it cost, line by line. */
export interface Played {
  readonly digest: string
  readonly lines: readonly string[]
}

/** What a simulation costs, from note to note. Lines also go to stderr as they come where WEFT_LONG is set: they are minutes apart. */
export class SimulationCost {
  readonly lines: string[] = []
  readonly #simulation: Simulation
  #cpu = process.cpuUsage()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  note(what: string): void {
    const { user, system } = process.cpuUsage(this.#cpu)
    this.#cpu = process.cpuUsage()
    const { now, trace } = this.#simulation
    const [spent, memory] = [(user + system) / 1e6, process.memoryUsage.rss() / 1e6]
    const line = `${what} at ${(now / 1_000).toFixed(1)} s: ${spent.toFixed(1)} s of a core, ${trace.events} events so far, ${memory.toFixed(0)} MB`
    this.lines.push(line)
    if (process.env['WEFT_LONG'] !== undefined) process.stderr.write(`${line}\n`)
  }
}
