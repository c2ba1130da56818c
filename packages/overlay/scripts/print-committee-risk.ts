import { quorumOf } from '../src/network/quorum.ts'
import { committeeRisk } from './committee-risk.ts'

// Prints the table of docs/specs/beacon.md: bin/node packages/overlay/scripts/print-committee-risk.ts
const POPULATION = 10_000
const SIZES = [10, 16, 31, 64, 100, 128]
const SHARES = [0.1, 0.2, 0.25, 0.3, 1 / 3]

process.stdout.write('| hostile of 10,000 | committee | must sign | forged | blocked |\n|---|---|---|---|---|\n')
for (const share of SHARES) {
  const hostile = Math.round(POPULATION * share)
  for (const size of SIZES) {
    const quorum = quorumOf(size)
    const { forged, blocked } = committeeRisk(POPULATION, hostile, size, quorum)
    process.stdout.write(
      `| ${hostile.toLocaleString('en')} | ${size} | ${quorum} | ${forged.toExponential(1)} | ${blocked.toExponential(1)} |\n`,
    )
  }
}
