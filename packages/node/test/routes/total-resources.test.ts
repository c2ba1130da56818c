import assert from 'node:assert/strict'
import { test } from 'node:test'
import { totalResources } from '../../src/routes/total-resources.ts'

const NOTHING = { cores: 0, accelerators: 0, memoryBytes: 0, storageBytes: 0, uploadMbps: 0, downloadMbps: 0 }

test('a network whose members say nothing has nothing to sum', () => {
  assert.deepEqual(totalResources(2, []), {
    members: 2,
    described: 0,
    attested: 0,
    capacity: NOTHING,
    sites: {},
    sources: {},
  })
})

test('sums are over what is said, and the mean over those that say it', () => {
  assert.deepEqual(
    totalResources(6, [
      { site: 'home' },
      { site: 'home', capacity: { cores: 4, storageBytes: 10 } },
      { site: 'edge', capacity: { cores: 2 }, energy: { evidence: 'declared', source: 'solar', carbon: 40 } },
      { site: 'office', energy: { evidence: 'attested', source: 'solar', carbon: 0, attester: 'a', notAfter: 1 } },
      { site: 'office', energy: { evidence: 'declared', grid: 'CH' } },
    ]),
    {
      members: 6,
      described: 5,
      attested: 1,
      capacity: { ...NOTHING, cores: 6, storageBytes: 10 },
      sites: { home: 2, edge: 1, office: 2 },
      sources: { solar: 2 },
      carbon: { members: 2, mean: 20 },
    },
  )
})
