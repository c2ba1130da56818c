import fc from 'fast-check'
import { SigningKey, sealEnvelope } from '@weft/crypto'
import { type Attested, attestedEnergy, encodeAttestation } from '../../src/resources/attestation.ts'
import {
  type AttestedEnergy,
  CAPACITY_LIMITS,
  ENERGY_SOURCES,
  type EnergyFigures,
  MAX_CARBON,
  MAX_HARDWARE,
  MAX_PROVIDER,
  type ResourceDescriptor,
  SITE_KINDS,
} from '../../src/resources/resource-descriptor.ts'

export const ATTESTER = new SigningKey(new Uint8Array(32).fill(99))

const text = (maxLength: number) => fc.stringMatching(new RegExp(`^[!-~]([ -~]{0,${maxLength - 2}}[!-~])?$`))
const upTo = (max: number) => fc.integer({ min: 0, max })
const saysSomething = (value: object): boolean => Object.keys(value).length > 0

const capacity = fc
  .record(
    {
      cores: upTo(CAPACITY_LIMITS.cores),
      accelerators: upTo(CAPACITY_LIMITS.accelerators),
      memoryBytes: upTo(CAPACITY_LIMITS.memoryBytes),
      storageBytes: upTo(CAPACITY_LIMITS.storageBytes),
      uploadMbps: upTo(CAPACITY_LIMITS.uploadMbps),
      downloadMbps: upTo(CAPACITY_LIMITS.downloadMbps),
    },
    { requiredKeys: [] },
  )
  .filter(saysSomething)
  .map((fields) => ({ ...fields }))

/** Grid, source and carbon. */
export const anyFigures = fc
  .record(
    {
      grid: fc.constantFrom('CH', 'US-TEX-ERCO', 'DE-50'),
      source: fc.constantFrom(...ENERGY_SOURCES),
      carbon: upTo(MAX_CARBON),
    },
    { requiredKeys: [] },
  )
  .filter(saysSomething)
  .map((fields): EnergyFigures => ({ ...fields }))

const energy = anyFigures.map((fields) => ({ evidence: 'declared' as const, ...fields }))

/** Whatever a node may say of its machine on its own word. */
export const anyResources: fc.Arbitrary<ResourceDescriptor> = fc
  .record(
    {
      site: fc.constantFrom(...SITE_KINDS),
      provider: text(MAX_PROVIDER),
      hardware: text(MAX_HARDWARE),
      capacity,
      energy,
    },
    { requiredKeys: ['site'] },
  )
  .map((fields) => ({ ...fields }))

/** As long as it may be, in a certificate of this holder. */
export const largestResources = (holder: Attested): ResourceDescriptor => ({
  site: 'datacentre',
  provider: 'p'.repeat(MAX_PROVIDER),
  hardware: 'h'.repeat(MAX_HARDWARE),
  capacity: { ...CAPACITY_LIMITS },
  energy: attestedFor(holder, {
    grid: 'ZZ-AAAAAAAA-BBBBBBBB',
    source: 'geothermal',
    carbon: MAX_CARBON,
    notAfter: 8.64e15,
  }),
})

/** What an attester says of this holder. */
export function attestedFor(
  { network, key: member }: Pick<Attested, 'network' | 'key'>,
  said: EnergyFigures & { readonly notAfter: number },
  attester: SigningKey = ATTESTER,
): AttestedEnergy {
  const statement = sealEnvelope('attestation', encodeAttestation({ network, member, ...said }), attester)
  return attestedEnergy(statement, { network, key: member, expiresAt: 0 }, 'energy')
}
