import { type Refusal, integerOf, tupleOf } from '../codec/strict-values.ts'

/** What a quorum of validators measured of a node when it applied. What nobody measured is undefined. */
export interface Measured {
  /** Mbit/s each way, at least. */
  readonly bandwidthMbps: number | undefined
  /** Lost packets of a million, at most. */
  readonly lossPpm: number | undefined
  /** Bytes that it keeps for others, at least. */
  readonly storageBytes: number | undefined
  /** Of a million parts of the last seven days, at least so many it was there. */
  readonly availabilityPpm: number | undefined
}

const MILLION = 1_000_000

/** The field `measured` of a certificate body as it is encoded: null, or four figures of which each may be null. */
export function measuredField(measured: Measured | undefined): unknown {
  if (measured === undefined) return null
  const { bandwidthMbps, lossPpm, storageBytes, availabilityPpm } = measured
  return [bandwidthMbps ?? null, lossPpm ?? null, storageBytes ?? null, availabilityPpm ?? null]
}

/** @throws refusal */
export function measuredOf(value: unknown, refuse: Refusal): Measured | undefined {
  if (value === null) return undefined
  const [bandwidth, loss, storage, availability] = tupleOf(value, 'measured', 4, refuse)
  const figure = (given: unknown, name: string, max: number): number | undefined =>
    given === null ? undefined : integerOf(given, `measured.${name}`, 0, max, refuse)
  const measured = {
    bandwidthMbps: figure(bandwidth, 'bandwidthMbps', MILLION),
    lossPpm: figure(loss, 'lossPpm', MILLION),
    storageBytes: figure(storage, 'storageBytes', 2 ** 50),
    availabilityPpm: figure(availability, 'availabilityPpm', MILLION),
  }
  // One encoding for one meaning.
  if (Object.values(measured).every((each) => each === undefined))
    throw refuse('measured must be null or name a figure')
  return measured
}
