import { quorumOf, toleratedFaults } from '../src/network/quorum.ts'
import { committeeRisk } from './committee-risk.ts'
import { rotationRisk } from './rotation-risk.ts'

// Prints the table of docs/security.md: bin/node packages/overlay/scripts/print-rotation-risk.ts
const POPULATION = 10_000
const SHARES = [0.1, 0.15, 0.2, 0.25, 0.3]
const YEAR = 365

process.stdout.write(
  '| hostile | seats | one draw: forged | blocked | a year: forged | blocked | a year, refusing: forged | ten years, refusing |\n|---|---|---|---|---|---|---|---|\n',
)
for (const seats of [16, 64]) {
  for (const share of SHARES) {
    const hostile = Math.round(POPULATION * share)
    const quorum = quorumOf(seats)
    const { forged, blocked } = committeeRisk(POPULATION, hostile, seats, quorum)
    const of = (rotations: number) =>
      rotationRisk({ population: POPULATION, hostile, seats, quorum, rotated: toleratedFaults(seats), rotations })
    const [year, ten] = [of(YEAR), of(10 * YEAR)]
    const columns = [forged, blocked, year.forged, year.blocked, year.forgedByRefusal, ten.forgedByRefusal]
    process.stdout.write(
      `| ${share * 100} % | ${seats} | ${columns.map((risk) => risk.toExponential(1)).join(' | ')} |\n`,
    )
  }
}
