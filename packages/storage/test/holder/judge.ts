import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Clock, silentLogger, systemClock, systemRandom } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { Probe } from '@weft/overlay'
import { type LeftShard, LeftShards } from '../../src/holder/left-shards.ts'
import { storageProbe } from '../../src/holder/storage-probe.ts'
import { applicantOf } from '../support/applicant-of.ts'
import type { Fixture } from './holder-fixture.ts'

/** A validator that judges the holder of a fixture, as a stranger each time. */
export class Judge implements Disposable {
  readonly holder: DidKey = SigningKey.generate().id
  readonly #fixture: Fixture
  readonly #clock: Clock
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-judge-'))
  #left = new LeftShards(this.#directory, silentLogger)

  constructor(fixture: Fixture, clock: Clock = systemClock) {
    this.#fixture = fixture
    this.#clock = clock
  }

  /** What it left with the holder, as it has it written down. */
  get left(): ReturnType<LeftShards['get']> {
    return this.#left.get(this.holder, this.#clock.now())
  }

  /** @param renewal whether the holder is a member already @throws what the probe finds */
  async run(renewal = true): Promise<void> {
    const { id } = SigningKey.generate()
    const probe = { self: id, open: async () => this.#fixture.streams.connect(id) } as unknown as Probe
    const options = { left: this.#left, clock: this.#clock, random: systemRandom }
    await storageProbe(options).run(probe, applicantOf(this.holder, renewal), new AbortController().signal)
  }

  /** Starts again with what it wrote down. @param between what happens to its files meanwhile */
  restart(between?: (directory: string) => void): void {
    this.#left[Symbol.dispose]()
    between?.(this.#directory)
    this.#left = new LeftShards(this.#directory, silentLogger)
  }

  /** As if the holder had been left something else with. */
  change(change: (shard: LeftShard) => LeftShard): void {
    const { left } = this
    if (left !== undefined) this.#left.set(this.holder, change(left))
  }

  /** Nothing can be written down while this lasts. */
  lock(): DatabaseSync {
    const database = new DatabaseSync(join(this.#directory, 'left-shards.db'))
    database.exec('BEGIN IMMEDIATE')
    return database
  }

  [Symbol.dispose](): void {
    this.#left[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
