import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey, sealEnvelope, toDidKey } from '@weft/crypto'
import {
  type Network,
  attestedEnergy,
  encodeAttestation,
  networkOf,
  parseAttestation,
  parseNetworkFile,
} from '@weft/overlay'
import { describeResources } from '../../src/routes/describe-resources.ts'

const [attester, member, validator] = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()]
const network: Network = networkOf(
  parseNetworkFile(
    JSON.stringify({
      schemaVersion: 1,
      name: 'test',
      createdAt: 1,
      attesters: [attester.id],
      validators: [{ id: validator.id, addresses: ['/ip4/192.0.2.1/tcp/4780'], roles: ['validator'], family: 'v' }],
    }),
  ),
)
const energyBy = (signer: SigningKey) => {
  const holder = { network: network.id, key: member.publicKey, expiresAt: 0 }
  const said = { network: network.id, member: member.publicKey, carbon: 24, notAfter: 5 }
  return attestedEnergy(sealEnvelope('attestation', encodeAttestation(said), signer), holder, 'it')
}

test('attested energy is told with who, until when and what was signed', () => {
  const { energy } = describeResources(network, { site: 'home', energy: energyBy(attester) })
  const { attestation = '', ...said } = energy ?? assert.fail('no energy')
  assert.deepEqual(said, { evidence: 'attested', carbon: 24, attester: attester.id, notAfter: 5 })
  assert.equal(toDidKey(parseAttestation(attestation).signer), attester.id)
})

test('what no attester of the network signed is left out, whoever put it into the map', () => {
  const forged = energyBy(attester)
  const statement = { ...forged.statement, signature: new Uint8Array(64) }
  for (const energy of [energyBy(validator), { ...forged, statement }])
    assert.deepEqual(describeResources(network, { site: 'home', energy }), { site: 'home' })
})

test('what is declared stays as it is', () => {
  const declared = { site: 'home', energy: { evidence: 'declared', carbon: 1 } } as const
  assert.deepEqual(describeResources(network, declared), declared)
  assert.deepEqual(describeResources(network, { site: 'edge' }), { site: 'edge' })
})
