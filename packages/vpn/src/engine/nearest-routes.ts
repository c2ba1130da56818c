import type { Clock, Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { StreamTarget } from '@weft/onion'
import type { RouteMember } from '../route/route-member.ts'
import type { TimedStream } from '../route/target-times.ts'
import { AnswerWatch } from './answer-watch.ts'
import { MeasureCircuits, type MeasureCircuitsInit } from './measure-circuits.ts'
import { type NearTarget, Nearest } from './nearest.ts'
import type { PathSet } from './path-set.ts'

export interface NearestRoutesInit extends Pick<MeasureCircuitsInit, 'make'> {
  readonly clock: Clock
  readonly random: Random
  /** Exits that may be asked: not this node itself, nor those that failed lately. */
  readonly exits: () => readonly RouteMember[]
  /** Path sets of the routes that are fit for streams, that in use first. */
  readonly pathSets: () => readonly PathSet[]
}

/** {@link Nearest} over real circuits, for routes of one isolation key; to be made by them and closed with them. */
export class NearestRoutes {
  readonly #nearest: Nearest
  readonly #circuits: MeasureCircuits
  readonly #clock: Clock

  constructor({ pathSets, make, ...init }: NearestRoutesInit) {
    this.#clock = init.clock
    const standing = (): DidKey[] => pathSets().flatMap(({ exit }) => exit?.id ?? [])
    this.#circuits = new MeasureCircuits({
      clock: init.clock,
      existing: (id) => pathSets().find(({ exit }) => exit?.id === id),
      make,
    })
    this.#nearest = new Nearest({
      ...init,
      inUse: () => standing()[0],
      standing: () => [...standing(), ...this.#circuits.standing],
      measure: (exit, target, signal) => this.#circuits.measure(exit, target, signal),
    })
  }

  /** As {@link Nearest.of}. */
  of(target: NearTarget, without?: ReadonlySet<DidKey>): ReadonlyMap<DidKey, number> | undefined {
    return this.#nearest.of(target, without)
  }

  /**
   * Holds a stream that is open against what its exit said of the target.
   * @param tookMs until the exit said that it is connected; undefined where that tells nothing
   * @returns what times the target's first answer; undefined for a stream that leads to no target of the kind
   */
  hold({ host, protocol }: StreamTarget, paths: PathSet, tookMs: number | undefined): AnswerWatch | undefined {
    const exit = paths.exit?.id
    if (protocol !== undefined || exit === undefined) return undefined
    const learn = (kind: TimedStream['kind'], ms: number): void => {
      const { roundTrip } = paths
      if (roundTrip !== undefined) this.#nearest.learn(host, exit, { kind, tookMs: ms, ...roundTrip })
    }
    if (tookMs !== undefined) learn('connect', tookMs)
    return new AnswerWatch(this.#clock, (ms) => learn('answer', ms))
  }

  /** New streams go over other path sets: exits are asked over other circuits as well, what they said stays known. */
  moved(): void {
    this.#circuits.close()
  }

  close(): void {
    this.#nearest.close()
    this.#circuits.close()
  }
}
