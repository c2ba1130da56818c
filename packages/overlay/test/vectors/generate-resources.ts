import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from '@ipld/dag-cbor'
import { toHex } from '@weft/core'
import { SigningKey, sealEnvelope } from '@weft/crypto'
import { resourcesField } from '../../src/admission/resources-field.ts'
import { type Attestation, encodeAttestation } from '../../src/resources/attestation.ts'
import { formatAttestation } from '../../src/resources/attestation-text.ts'
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
const attester = new SigningKey(new Uint8Array(32).fill(7))
const { publicKey: member } = new SigningKey(new Uint8Array(32).fill(5))
const network = 'ww5w6nnbsdv5y5yzbcn234oia5ojy6yn7'
const said: readonly Omit<Attestation, 'network' | 'member'>[] = [
  { grid: 'CH', source: 'hydro', carbon: 24, notAfter: 1_830_000_000_000 },
  { carbon: 0, notAfter: 1_800_000_000_000 },
]
const attestations = said.map((each) => {
  const statement = sealEnvelope('attestation', encodeAttestation({ network, member, ...each }), attester)
  return {
    network,
    member: toHex(member),
    said: each,
    statement: toHex(statement.payload),
    signer: toHex(statement.signer),
    signature: toHex(statement.signature),
    text: formatAttestation(statement),
    field: toHex(encode(['attested', statement.payload, statement.signer, statement.signature])),
  }
})
writeFileSync(
  join(import.meta.dirname, 'resources.json'),
  `${JSON.stringify(
    {
      description: 'The field resources of a certificate body: what it says, and its bytes; and what an attester, seed 32 times 7, signed of a member, seed 32 times 5: the field is that of energy (docs/specs/resources.md).',
      attestations,
      descriptors: descriptors.map((resources) => ({ resources, field: toHex(encode(resourcesField(resources))) })),
    },
    undefined,
    2,
  )}\n`,
)
