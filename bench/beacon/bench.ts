import { type Random, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import {
  type BeaconKeyPair,
  BeaconRound,
  type SignedDealing,
  beaconRoster,
  deal,
  dealingName,
  decodeDealing,
  decodeInputs,
  deriveBeaconKey,
  encodeInputs,
  encodeShare,
  genesisBeacon,
  openShare,
  tallyOf,
  verifyDealing,
} from '@weft/overlay'
import type { BenchResult, BenchRow } from '../lib/bench-result.ts'
import { summarise } from '../lib/summarise.ts'

const SAMPLES = 5
const NETWORK = `w${'a'.repeat(32)}`
/** Seats, and the processor time that one beacon may take of a seat's node: a twentieth of a map epoch. */
const SIZES = [
  { seats: 4, goal: 250, epoch: 'a devnet of 5 s epochs' },
  { seats: 16, goal: 3000, epoch: 'epochs of 60 s' },
  { seats: 64, goal: 3000, epoch: 'epochs of 60 s' },
] as const

/**
 * What a beacon costs one validator, in processor time of its one thread: the machine may be busy with other things. The
 * whole round is the shipped one: deal, verify the dealings of all others, open, verify a quorum of shares, combine.
 */
export default function bench(): Promise<BenchResult> {
  const rosters = SIZES.map(({ seats, goal, epoch }) => benchRoster(seats, goal, epoch))
  const rows = rosters.flatMap((roster) => roster.rows)
  const notes = [
    'Processor time of one thread (user and system), not elapsed time.',
    ...rosters.map(({ sizes }) => sizes),
    'Received are the dealings and shares of all other seats, without what carries them.',
  ]
  return Promise.resolve({ name: 'beacon', rows, notes })
}

function benchRoster(seats: number, goal: number, epoch: string): { rows: BenchRow[]; sizes: string } {
  const random: Random = systemRandom
  const nodes = Array.from({ length: seats }, () => SigningKey.generate())
  const keys = nodes.map(deriveBeaconKey)
  const roster = beaconRoster(
    NETWORK,
    1,
    nodes.map(({ publicKey }, seat) => ({ key: publicKey, beaconKey: (keys[seat] as BeaconKeyPair).publicKey })),
  )
  const dealings = nodes.map((node, dealer) => deal(roster, dealer, node, random))
  const first = dealings[0] as SignedDealing
  const agreed = encodeInputs(
    roster,
    genesisBeacon(NETWORK),
    dealings.slice(1, roster.quorum + 1).map(({ body }, at) => ({ dealer: at + 1, dealing: dealingName(body) })),
  )
  const inputs = decodeInputs(roster, agreed)
  const tally = tallyOf(
    roster,
    inputs,
    inputs.dealings.map(({ dealer }) => decodeDealing((dealings[dealer] as SignedDealing).body)),
  )
  const shares = keys.map((key, seat) => encodeShare(openShare(tally, seat, key, random)))
  const own = { seat: 0, nodeKey: nodes[0] as SigningKey, beaconKey: keys[0] as BeaconKeyPair }

  const round = repeat(() => {
    const state = new BeaconRound({ roster, own, random })
    state.start()
    for (const dealing of dealings.slice(1)) state.receiveDealing(dealing)
    state.decide(agreed)
    for (let seat = 1; state.value === undefined; seat++) state.receiveShare(shares[seat] as Uint8Array, seat)
  })
  const received = (seats - 1) * (first.body.length + first.signature.length + (shares[0] as Uint8Array).length)
  const rows = [
    row(
      `${seats} seats: deal`,
      'ms',
      repeat(() => deal(roster, 0, own.nodeKey, random)),
    ),
    row(
      `${seats} seats: verify one dealing`,
      'ms',
      repeat(() => verifyDealing(roster, first)),
    ),
    { ...row(`${seats} seats: one beacon, ${epoch}`, 'ms', round), goal },
  ]
  const sizes =
    `${seats} seats: a dealing has ${first.body.length + first.signature.length} bytes with its signature, ` +
    `the agreed inputs ${agreed.length}, a share ${shares[0]?.length}; received for one beacon ${received} bytes.`
  return { rows, sizes }
}

/** Processor time of each run, ms; the first run warms up and is thrown away. */
function repeat(work: () => unknown): number[] {
  const samples: number[] = []
  for (let run = 0; run <= SAMPLES; run++) {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    if (run > 0) samples.push((user + system) / 1000)
  }
  return samples
}

function row(what: string, unit: string, samples: readonly number[]): BenchRow {
  return { what, unit, ...summarise(samples.map((sample) => Number(sample.toPrecision(4)))) }
}
