import type { GatePlan } from './cell-gate.ts'
import type { ShapingPlan } from './circuit-shaper.ts'
import { type Distribution, exponential, uniform } from './distribution.ts'
import type { PaddingLimits } from './padding-budget.ts'
import type { MachineState } from './padding-machine.ts'
import type { Tier } from './tier.ts'

/** What the places of a circuit do in a tier. Hops that are not named do nothing. */
export interface TierPlan {
  readonly client: ShapingPlan
  /** The hop behind the entry, to which the client's padding goes and from which its own comes: the entry cannot tell it from other cells. */
  readonly middle: ShapingPlan
  /** The last hop of three or more. */
  readonly last: ShapingPlan
  /** Part of the client's padding that goes on to the last hop, so that the links behind the middle have some, too. */
  readonly toLast: number
}

/** Numbers of the machines' states, in the lists below. */
const IDLE = 0
const [REST, BUSY, BURST, TAIL, WATCH] = [0, 1, 2, 3, 4]

/** Cells that follow each other sooner than this are of one flow, ms; a state that waits for them says nothing. */
const SOON = { wait: uniform(80, 120), count: uniform(0, 1), isSilent: true } as const

/** Steps that a flow takes from nothing to being sent evenly: more cells in a row than a message has. */
const STEPS = 4
const EVEN = STEPS + 1

/**
 * Nothing while idle, and nothing for a few cells: it would cost several times what they are, and hide nothing of them. A flow that goes on, such as a call, comes
 * to be sent evenly: its cells and padding leave at times of the machine's own, and its pauses do not show. Crowds of cells end that, as padding would not hide
 * them, and so do cells that are too few to keep it up.
 */
const STANDARD_STATES: readonly MachineState[] = [
  { on: { sent: [{ to: 1, chance: 1 }] } },
  ...Array.from({ length: STEPS }, (_, at) => ({
    ...SOON,
    on: {
      sent: [{ to: at + 2, chance: at + 1 < STEPS ? 0.5 : 0.05 }],
      limit: [{ to: IDLE, chance: 1 }],
    },
  })),
  {
    wait: uniform(4, 16),
    count: uniform(300, 600),
    on: {
      sent: [{ to: EVEN, chance: 0.1, keepsTime: true }],
      crowd: [{ to: IDLE, chance: 1 }],
      limit: [{ to: IDLE, chance: 1 }],
    },
  },
]

const STANDARD_GATE: GatePlan = { delay: exponential(2, 16), spreads: true }
const STANDARD_LIMITS: PaddingLimits = { allowance: 128, perSecond: 100, ofReal: 0.5 }

const STANDARD: TierPlan = {
  client: { forward: STANDARD_GATE, padding: { states: STANDARD_STATES, limits: STANDARD_LIMITS } },
  middle: { backward: STANDARD_GATE, padding: { states: STANDARD_STATES, limits: STANDARD_LIMITS } },
  last: {},
  toLast: 0,
}

/**
 * A Poisson process at rest. For seconds behind each real cell of a session, and now and then by itself, the client's cells go at times of its machine's own: some of
 * what waits, or padding. So up to that rate a flow shows nothing but its beginning and end. Bursts that no real cell belongs to come in between.
 * Real cells begin such a time by chance, so that it tells little of when they came.
 * @param begins what begins such a time at rest, or when something may have begun, and what makes it last @param burst chance of a burst, at each time @param cells of a burst
 */
function highStates(
  begins: Readonly<Record<'rest' | 'watch' | 'busy', MachineState['on']>>,
  burst: number,
  cells: Distribution,
): readonly MachineState[] {
  const even = (least: number, most: number): MachineState => ({
    wait: uniform(4, 16),
    count: uniform(least, most),
    on: { ...begins.busy, paddingSent: [{ to: BURST, chance: burst }], limit: [{ to: REST, chance: 1 }] },
  })
  return [
    { wait: exponential(3_000, 30_000), on: begins.rest },
    even(600, 1_800),
    { wait: exponential(2, 20), count: cells, on: { limit: [{ to: TAIL, chance: 1 }] } },
    // Not the whole time once more, or bursts would keep a circuit busy that nobody uses.
    even(300, 900),
    { ...SOON, on: { ...begins.watch, limit: [{ to: REST, chance: 1 }] } },
  ]
}

const keepBusy = (chance: number) => [{ to: BUSY, chance, keepsTime: true }] as const

const CLIENT_STATES = highStates(
  {
    rest: {
      sent: [{ to: BUSY, chance: 0.5 }],
      received: [{ to: BUSY, chance: 0.5 }],
      paddingSent: [{ to: BUSY, chance: 0.007 }],
    },
    watch: {},
    busy: { sent: keepBusy(1), received: keepBusy(1) },
  },
  0.002,
  exponential(10, 60),
)

/**
 * The middle follows the client's padding, which comes by the dozen while that sends evenly and hardly at rest. It cannot tell a session's cells from the questions
 * and answers of later hops, by which a client measures: those would keep it busy for nothing.
 */
const MIDDLE_STATES = highStates(
  {
    rest: { paddingReceived: [{ to: WATCH, chance: 1 }] },
    watch: { paddingReceived: [{ to: BUSY, chance: 0.1 }] },
    busy: { paddingReceived: keepBusy(0.01) },
  },
  0.001,
  exponential(200, 1_000),
)

const HIGH_DELAY: GatePlan = { delay: exponential(4, 20) }
const HIGH_GATE: GatePlan = { delay: exponential(6, 40), spreads: true }

const HIGH: TierPlan = {
  client: {
    forward: HIGH_GATE,
    padding: {
      states: CLIENT_STATES,
      limits: { allowance: 512, perSecond: 110, ofReal: 1 },
    },
  },
  middle: {
    forward: HIGH_DELAY,
    backward: HIGH_GATE,
    padding: {
      states: MIDDLE_STATES,
      limits: { allowance: 1_024, perSecond: 130, ofReal: 1 },
    },
  },
  last: { backward: HIGH_DELAY },
  toLast: 0.005,
}

/** What each tier does, at each place; the one place that says it. Undefined for `off`: nothing. */
export const tierPlans: Readonly<Record<Tier, TierPlan | undefined>> = {
  off: undefined,
  standard: STANDARD,
  high: HIGH,
}
