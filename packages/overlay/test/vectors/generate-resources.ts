import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from '@ipld/dag-cbor'
import { toHex } from '@weft/core'
import { resourcesField } from '../../src/admission/resources-field.ts'
import type { ResourceDescriptor } from '../../src/resources/resource-descriptor.ts'

/** Writes resources.json: `node generate-resources.ts`. */
const descriptors: readonly ResourceDescriptor[] = [
  { site: 'home' },
  {
    site: 'datacentre',
    provider: 'Example Hosting',
    hardware: '2 x 32 cores, 4 x NVMe',
    capacity: { cores: 64, memoryBytes: 2 ** 38, storageBytes: 4e12, uploadMbps: 1_000, downloadMbps: 10_000 },
    energy: { evidence: 'declared', grid: 'CH', source: 'hydro', carbon: 24 },
  },
  { site: 'edge', capacity: { accelerators: 0 }, energy: { evidence: 'declared', grid: 'US-TEX-ERCO' } },
]
writeFileSync(
  join(import.meta.dirname, 'resources.json'),
  `${JSON.stringify(
    {
      description: 'The field resources of a certificate body: what it says, and its bytes (docs/specs/resources.md).',
      descriptors: descriptors.map((resources) => ({ resources, field: toHex(encode(resourcesField(resources))) })),
    },
    undefined,
    2,
  )}\n`,
)
