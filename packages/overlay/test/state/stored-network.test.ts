import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import { CertificateSchema, decodeMessage } from '@weft/wire'
import { verifyCertificate } from '../../src/admission/certificate.ts'
import { MAX_WIRE_CERTIFICATE } from '../../src/admission/certificate-pool.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import { networkOf } from '../../src/network/network.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { memoryStores } from '../../src/state/memory-stores.ts'
import { storeNetwork } from '../../src/state/stored-network.ts'
import { BEGIN, EPOCH, testKeys } from '../fixtures.ts'

test('what is stored for a network is what its nodes verify: certificates and a map that a quorum signed', () => {
  const members = testKeys(7).map((key, at) => ({
    key,
    roles: at < 4 ? (['validator', 'storage'] as const) : (['storage'] as const),
    address: `/ip4/10.0.${at}.1/tcp/4780`,
    family: `family-${at}`,
    region: 'eu-central',
    country: 'CH',
    asn: 64_500 + at,
    stores: memoryStores(),
  }))
  const validators = members
    .slice(0, 4)
    .map(({ key, address, roles, family }) => ({ id: key.id, addresses: [address], roles, family }))
  const file = parseNetworkFile(
    JSON.stringify({ schemaVersion: 1, name: 'stored', mapEpochMs: EPOCH, createdAt: BEGIN, validators }),
  )
  const network = networkOf(file)
  const now = BEGIN + 3 * EPOCH
  storeNetwork(file, members, now)
  const clock = new VirtualClock(now)
  for (const [at, { key, stores }] of members.entries()) {
    const database = stores.membership
    const own = decodeMessage(CertificateSchema, database.ownCertificate() as Uint8Array, MAX_WIRE_CERTIFICATE)
    assert.equal(verifyCertificate(network, own).body.id, key.id)
    const revocations = new Revocations({ network, database, clock, logger: silentLogger })
    const membership = new SignedMembership({ network, database, revocations, clock, logger: silentLogger })
    assert.deepEqual(new Set(membership.members().map(({ id }) => id)), new Set(members.map((one) => one.key.id)))
    assert.equal(membership.status().fault, undefined)
    assert.equal(database.certificateKeys(now).length, at < 4 ? 7 : 0)
  }
})
