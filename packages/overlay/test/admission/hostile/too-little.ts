import { type MemoryNode, faultFrame } from '../../memory-network.ts'
import { type Hostile, RELAY } from '../apply.ts'
import { packetProbe, unreachable } from './packet-probe.ts'
import { asking, claim } from './claims.ts'

function fails(why: string): () => never {
  return () => {
    throw new Error(why)
  }
}

/** Who has less than it claims, or does what the protocol does not. */
export const TOO_LITTLE: Record<string, readonly Hostile[]> = {
  minimums: [
    { code: 'E_ROLE_MINIMUM', applicant: { network: asking } },
    { code: 'E_ROLE_MINIMUM', applicant: { network: asking, body: { measured: claim({ bandwidthMbps: 19 }) } } },
    { code: 'E_ADMISSION_CLAIM', applicant: { body: { measured: claim({ lossPpm: 0 }) } } },
  ],
  measured: [
    {
      code: 'E_SHORTFALL',
      applicant: { body: { measured: claim({ bandwidthMbps: 20 }) }, gauges: { bandwidth: async () => 19 } },
    },
    {
      code: 'E_SHORTFALL',
      applicant: {
        body: { ...RELAY, measured: claim({ lossPpm: 100 }) },
        gauges: { loss: async () => ({ sent: 400, lost: 3 }) },
      },
    },
    { code: 'E_ADMISSION_CLAIM', applicant: { body: { ...RELAY, measured: claim({ lossPpm: 100 }) } } },
    {
      code: 'E_SHORTFALL',
      applicant: { body: { measured: claim({ availabilityPpm: 900_000 }) }, gauges: { availability: () => 899_999 } },
    },
  ],
  conformance: [
    { code: 'E_ADMISSION_CONFORMANCE', applicant: { body: RELAY, probes: [packetProbe(fails('it echoes')).probe] } },
    {
      code: 'E_ADMISSION_UNREACHABLE',
      applicant: { body: RELAY, probes: [packetProbe(({ packets }) => unreachable(packets)).probe] },
    },
    { code: 'E_ADMISSION_CONFORMANCE', applicant: { prepare: inventsRecords } },
    {
      code: 'E_ADMISSION_CONFORMANCE',
      applicant: { prepare: (node) => void (node.onRaw = () => ({ received: new Uint8Array(), state: 'open' })) },
    },
    {
      code: 'E_ADMISSION_CONFORMANCE',
      applicant: {
        prepare: (node) => void (node.onRaw = () => ({ received: faultFrame(1, 'E_OTHER'), state: 'reset' })),
      },
    },
    {
      code: 'E_ADMISSION_CONFORMANCE',
      applicant: {
        prepare: (node) => void (node.onRaw = () => ({ received: faultFrame(1, 'E_METHOD_UNKNOWN'), state: 'open' })),
      },
    },
  ],
}

function inventsRecords(node: MemoryNode): void {
  node.rpc.handle('record.get', async () => ({
    record: { kind: { case: 'immutable', value: { value: new Uint8Array(3), expiresAt: 1n } } },
  }))
}
