import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { Probe } from '@weft/overlay'
import { LeftShards } from '../../src/holder/left-shards.ts'
import { storageProbe } from '../../src/holder/storage-probe.ts'
import { applicantOf } from '../support/applicant-of.ts'
import type { Fixture } from './holder-fixture.ts'

/** A validator that judges the holder of a fixture, as a stranger each time. */
export class Judge implements Disposable {
  readonly #fixture: Fixture
  readonly #applicant = applicantOf(SigningKey.generate().id)
  readonly #clock: Clock
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-judge-'))
  #left = new LeftShards(this.#directory)

  constructor(fixture: Fixture, clock: Clock = systemClock) {
    this.#fixture = fixture
    this.#clock = clock
  }

  /** @throws what the probe finds */
  async run(): Promise<void> {
    const { id } = SigningKey.generate()
    const probe = { self: id, open: async () => this.#fixture.streams.connect(id) } as unknown as Probe
    const options = { left: this.#left, clock: this.#clock, random: systemRandom }
    await storageProbe(options).run(probe, this.#applicant, new AbortController().signal)
  }

  /** Starts again with what it wrote down. */
  restart(): void {
    this.#left[Symbol.dispose]()
    this.#left = new LeftShards(this.#directory)
  }

  [Symbol.dispose](): void {
    this.#left[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
