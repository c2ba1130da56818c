import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENERGY_SOURCES, SITE_KINDS } from '@weft/overlay'
import { SITES, SOURCES } from '../../src/config/resource-words.ts'
import { ownResources } from '../../src/daemon/own-resources.ts'
import { testConfig } from '../support/test-daemon.ts'

test('nothing is said of a machine whose operator names no site', async (t) => {
  const { config } = await testConfig(t, '[resources]\ncores = 4\nprovider = "me"\n')
  assert.equal(ownResources({ ...config, roles: ['storage'] }), undefined)
})

test('a descriptor has what is set, and the storage that the role offers', async (t) => {
  const { config } = await testConfig(t, '[resources]\nsite = "home"\n[storage]\nquota = "1 GiB"\n')
  assert.deepEqual(ownResources({ ...config, roles: ['relay'] }), { site: 'home' })
  assert.deepEqual(ownResources({ ...config, roles: ['storage'] }), {
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
  assert.deepEqual(ownResources({ ...config, roles: [] }), {
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
