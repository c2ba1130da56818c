import assert from 'node:assert/strict'
import { seededRandom } from '@weft/core'
import { readJoin } from '../../src/session/read-join.ts'
import { type LegUse, type SessionLeg } from '../../src/session/session-leg.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { Driver, Link, type LinkShape, World } from './simulated-path.ts'

/** One circuit: a link each way, and the legs that its two ends are. */
export interface Circuit {
  readonly up: Link
  readonly down: Link
  readonly leg: SessionLeg
  /** From now on nothing comes through, as when a hop of it was killed. */
  cut(): void
  mend(): void
}

/** A client and an exit, and circuits between them that can be added and cut. */
export class SeveralLegs {
  readonly world = new World()
  readonly client: Driver
  readonly exit: Driver
  readonly ends: string[] = []
  readonly silent: string[] = []
  /** Circuits that the exit did not take. */
  refused = 0
  readonly #chance: () => number
  readonly #gone = new Set<SessionLeg>()

  constructor(seed: number, onStream: (stream: SessionStream) => void) {
    const random = seededRandom(seed)
    this.#chance = () => new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32
    const common = (who: string) => ({
      random,
      onClose: (code: number, reason: string) => void this.ends.push(`${who} ${code} ${reason}`),
      onSilent: (leg: SessionLeg) => void this.silent.push(`${who} ${leg.id}`),
    })
    this.client = new Driver(this.world, { role: 'client', ...common('client') })
    this.exit = new Driver(this.world, {
      role: 'exit',
      ...common('exit'),
      onStream,
      onLegGone: (leg) => void this.#gone.add(leg),
    })
  }

  begin(shape: LinkShape): Circuit {
    return this.#circuit(shape, this.client.session.first, this.exit.session.first)
  }

  /** Names the session, and waits until others may join. */
  name(): void {
    this.client.session.name()
    assert.ok(
      this.world.run(() => this.client.session.isNamed, this.world.now + 5_000),
      'the exit does not know the name',
    )
  }

  join(shape: LinkShape, use: LegUse): Circuit {
    const leg = this.client.session.addLeg(use)
    assert.ok(leg !== undefined)
    return this.#circuit(shape, leg, undefined)
  }

  #circuit(shape: LinkShape, leg: SessionLeg, first: SessionLeg | undefined): Circuit {
    const up = new Link(this.world, shape, this.#chance)
    const down = new Link(this.world, shape, this.#chance)
    let atExit = first
    up.deliver = (number, payload) => {
      if (atExit === undefined) {
        const join = readJoin(payload)
        assert.ok(join !== undefined, 'a circuit joins without saying so first')
        atExit = this.exit.session.join(join.leg, join.use)
        if (atExit === undefined) {
          this.refused++
          return
        }
        this.exit.links.set(atExit, down)
      }
      if (!this.#gone.has(atExit)) this.exit.receive(number, payload, atExit)
    }
    down.deliver = (number, payload) => {
      if (this.client.session.legs.includes(leg)) this.client.receive(number, payload, leg)
    }
    this.client.links.set(leg, up)
    if (first !== undefined) this.exit.links.set(first, down)
    this.client.wake()
    const set = (drop: number): void => {
      up.shape = { ...shape, drop }
      down.shape = { ...shape, drop }
    }
    return { up, down, leg, cut: () => set(1), mend: () => set(0) }
  }

  run(ms: number): void {
    this.world.run(() => false, this.world.now + ms)
  }
}
