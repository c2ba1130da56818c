import type { ConformanceProbe, ProbedApplicant } from '../../../src/admission/probe.ts'
import { unreachablePackets } from '../../../src/admission/unreachable-packets.ts'

/** A probe of packets that keeps what it is given and does what is asked of it. */
export function packetProbe(outcome: (applicant: ProbedApplicant) => void) {
  const seen: ProbedApplicant[] = []
  const probe: ConformanceProbe = {
    role: 'packets',
    name: 'answers',
    async run(_probe, given) {
      seen.push(given)
      outcome(given)
    },
  }
  return { probe, seen }
}

export function unreachable(packets: ProbedApplicant['packets']): never {
  throw unreachablePackets(packets?.addresses[0] ?? '')
}
