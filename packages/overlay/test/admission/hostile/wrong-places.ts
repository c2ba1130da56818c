import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { answerChallenge } from '../../../src/admission/challenge-responder.ts'
import { formatRelayedAddress } from '../../../src/network/relayed-address.ts'
import { BEGIN, addressOf, packetsOf } from '../../fixtures.ts'
import type { MemoryNode } from '../../memory-network.ts'
import { fixture, type Hostile, overRelay, reachedOver, RELAY, applicant, stranger } from '../apply.ts'
import { elsewhere } from './elsewhere.ts'

const smtp = '/ip4/127.0.0.1/tcp/25'

/** Who is not where it says, or not for validators to reach. */
export const WRONG_PLACES: Record<string, readonly Hostile[]> = {
  packets: [
    { code: 'E_ADMISSION_PACKETS', applicant: { body: { roles: ['storage', 'relay'] } } },
    { code: 'E_ADMISSION_PACKETS', applicant: { body: { packets: packetsOf(4) } } },
    {
      code: 'E_ADMISSION_PACKETS',
      applicant: {
        body: {
          roles: ['exit'],
          packets: { ...packetsOf(4), addresses: ['/ip4/127.0.0.1/udp/20004', '/ip4/127.0.0.2/udp/20004'] },
        },
      },
    },
  ],
  place: [
    { code: 'E_ADMISSION_PLACE', applicant: { body: { family: 'somebody-else' } } },
    { code: 'E_ADMISSION_PLACE', applicant: { body: { diversityAddress: '203.0.113.9' } } },
    { code: 'E_ADMISSION_PLACE', applicant: { body: { simulated: false } } },
    {
      code: 'E_ADMISSION_PLACE',
      applicant: { body: { addresses: [smtp] }, prepare: reachedOver(smtp) },
    },
    {
      code: 'E_ADMISSION_PLACE',
      applicant: { body: { ...RELAY, packets: { ...packetsOf(4), addresses: ['/ip4/127.0.0.1/udp/53'] } } },
    },
  ],
  reachability: [
    { code: 'E_ADMISSION_UNREACHABLE', applicant: { body: { addresses: [addressOf(4), addressOf(77)] } } },
    { code: 'E_ADMISSION_UNREACHABLE', applicant: { prepare: answerWith(stranger) } },
    {
      code: 'E_ADMISSION_UNREACHABLE',
      applicant: { prepare: (node) => node.rpc.handle('admission.challenge', async () => ({})) },
    },
  ],
  others: [{ code: 'E_ADMISSION_UNREACHABLE', applicant: { others: 'not-found' } }],
  relays: [
    {
      code: 'E_ADMISSION_RELAYED',
      applicant: { body: { roles: ['gateway'], addresses: [overRelay] }, prepare: reachedOver(overRelay) },
    },
    {
      code: 'E_ADMISSION_RELAYED',
      applicant: {
        body: { addresses: [formatRelayedAddress(stranger.id)] },
        prepare: reachedOver(formatRelayedAddress(stranger.id)),
      },
    },
    {
      code: 'E_ADMISSION_RELAYED',
      applicant: {
        body: { addresses: [formatRelayedAddress(applicant.id)] },
        prepare: reachedOver(formatRelayedAddress(applicant.id)),
      },
    },
  ],
  region: [{ code: 'E_ADMISSION_REGION', applicant: elsewhere({ region: 'australia' }) }],
}

/** Somebody else answers the challenges. */
function answerWith(key: SigningKey): (node: MemoryNode) => void {
  return (node) => {
    const clock = new VirtualClock(BEGIN + 1_000)
    const init = { network: fixture.network, key, addresses: [addressOf(4)], clock }
    node.rpc.handle('admission.challenge', async (request) => ({ answer: answerChallenge(init, request) }))
  }
}
