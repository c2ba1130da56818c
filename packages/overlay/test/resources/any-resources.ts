import fc from 'fast-check'
import {
  CAPACITY_LIMITS,
  ENERGY_SOURCES,
  MAX_CARBON,
  MAX_HARDWARE,
  MAX_PROVIDER,
  type ResourceDescriptor,
  SITE_KINDS,
} from '../../src/resources/resource-descriptor.ts'

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

const energy = fc
  .record(
    {
      grid: fc.constantFrom('CH', 'US-TEX-ERCO', 'DE-50'),
      source: fc.constantFrom(...ENERGY_SOURCES),
      carbon: upTo(MAX_CARBON),
    },
    { requiredKeys: [] },
  )
  .filter(saysSomething)
  .map((fields) => ({ evidence: 'declared' as const, ...fields }))

/** Whatever a node may say of its machine. */
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

/** As long as it may be. */
export const LARGEST_RESOURCES: ResourceDescriptor = {
  site: 'datacentre',
  provider: 'p'.repeat(MAX_PROVIDER),
  hardware: 'h'.repeat(MAX_HARDWARE),
  capacity: { ...CAPACITY_LIMITS },
  energy: { evidence: 'declared', grid: 'ZZ-AAAAAAAA-BBBBBBBB', source: 'geothermal', carbon: MAX_CARBON },
}
