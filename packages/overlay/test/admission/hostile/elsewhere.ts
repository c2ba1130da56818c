import type { CertificateBody } from '../../../src/admission/certificate-body.ts'
import { networkOf } from '../../../src/network/network.ts'
import { fixture, type Applicant } from '../apply.ts'

const { simulated: _places, ...openFile } = fixture.network.file
const inTheOpen = networkOf(openFile)

/** Who answers a validator in eu-west at once. */
export function elsewhere(body: Partial<CertificateBody>, pong?: Uint8Array): Applicant {
  return {
    network: inTheOpen,
    validatorRegion: 'eu-west',
    body: { simulated: false, diversityAddress: '127.0.0.1', ...body },
    prepare: (node) => void node.rpc.handle('peer.ping', async ({ nonce }) => ({ nonce: pong ?? nonce })),
  }
}
