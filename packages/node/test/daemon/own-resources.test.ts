import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import {
  ENERGY_SOURCES,
  SITE_KINDS,
  formatAttestation,
  issueAttestation,
  networkOf,
  parseNetworkFile,
} from '@weft/overlay'
import { SITES, SOURCES } from '../../src/config/resource-words.ts'
import { ownResources } from '../../src/daemon/own-resources.ts'
import { testConfig } from '../support/test-daemon.ts'

const [key, attester, validator] = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()]
const networkWith = (changes: object) =>
  networkOf(
    parseNetworkFile(
      JSON.stringify({
        schemaVersion: 1,
        name: 'test',
        createdAt: 1,
        validators: [{ id: validator.id, addresses: ['/ip4/192.0.2.1/tcp/4780'], roles: ['validator'], family: 'v' }],
        ...changes,
      }),
    ),
  )
const network = networkWith({ attesters: [attester.id] })
const NOW = 1_800_000_000_000
const warnings: object[] = []
const logger = {
  debug() {},
  info() {},
  error() {},
  warn: (_: string, fields: object = {}) => void warnings.push(fields),
}
const init = { network, key, clock: new VirtualClock(NOW), logger }

test('nothing is said of a machine whose operator names no site', async (t) => {
  const { config } = await testConfig(t, '[resources]\ncores = 4\nprovider = "me"\n')
  assert.equal(ownResources({ ...config, roles: ['storage'] }, init), undefined)
})

test('a descriptor has what is set, and the storage that the role offers', async (t) => {
  const { config } = await testConfig(t, '[resources]\nsite = "home"\n[storage]\nquota = "1 GiB"\n')
  assert.deepEqual(ownResources({ ...config, roles: ['relay'] }, init), { site: 'home' })
  assert.deepEqual(ownResources({ ...config, roles: ['storage'] }, init), {
    site: 'home',
    capacity: { storageBytes: 2 ** 30 },
  })
})

test('every setting has its place, zero included', async (t) => {
  const { config } = await testConfig(
    t,
    `[resources]
site = "datacentre"
provider = "Example Hosting"
hardware = "2 x 32 cores"
cores = 64
accelerators = 0
memory = "256 GiB"
upload_mbps = 1000
download_mbps = 2000
grid = "US-TEX-ERCO"
energy = "wind"
carbon = 0
`,
  )
  assert.deepEqual(ownResources({ ...config, roles: [] }, init), {
    site: 'datacentre',
    provider: 'Example Hosting',
    hardware: '2 x 32 cores',
    capacity: { cores: 64, accelerators: 0, memoryBytes: 2 ** 38, uploadMbps: 1_000, downloadMbps: 2_000 },
    energy: { evidence: 'declared', grid: 'US-TEX-ERCO', source: 'wind', carbon: 0 },
  })
})

test('the words of the settings are those of the overlay', () => {
  assert.deepEqual(SITES, SITE_KINDS)
  assert.deepEqual(SOURCES, ENERGY_SOURCES)
})

test('what an attester signed of this node takes the place of what is declared; once it has ended that is told', async (t) => {
  const attested = (notAfter: number, member = key, by = network): string =>
    formatAttestation(issueAttestation(by, [attester], { member: member.publicKey, carbon: 24, notAfter }))
  const energyOf = async (text: string) => {
    const { config } = await testConfig(t, `[resources]\nsite = "home"\ncarbon = 900\nattestation = "${text}"\n`)
    return ownResources({ ...config, roles: [] }, init)?.energy
  }
  const energy = await energyOf(attested(NOW))
  assert.ok(energy?.evidence === 'attested')
  assert.deepEqual([energy.carbon, energy.attester, energy.notAfter], [24, attester.id, NOW])
  assert.deepEqual(warnings, [])
  await energyOf(attested(NOW - 1))
  assert.match(JSON.stringify(warnings), /E_ATTESTATION_EXPIRED.*resources\.attestation in weft\.toml/)

  const foreign = networkWith({ attesters: [attester.id], name: 'other' })
  await assert.rejects(energyOf(attested(NOW, validator)), {
    code: 'E_ATTESTATION_MALFORMED',
    cause: /resources\.attestation\.member is /,
  })
  await assert.rejects(energyOf(attested(NOW, key, foreign)), {
    code: 'E_ATTESTATION_MALFORMED',
    cause: /resources\.attestation\.network is /,
  })
  const { config } = await testConfig(t, `[resources]\nsite = "home"\nattestation = "${attested(NOW)}"\n`)
  const unnamed = { ...init, network: { ...network, isAttester: () => false } }
  assert.throws(() => ownResources({ ...config, roles: [] }, unnamed), { code: 'E_ATTESTATION_SIGNER' })
  await assert.rejects(energyOf('weft-attest-AAAA'), { code: 'E_ATTESTATION_TEXT' })
})
