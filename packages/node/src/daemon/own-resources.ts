import type { ResourceCapacity, ResourceDescriptor } from '@weft/overlay'
import type { Config } from '../config/load-config.ts'
import { type OwnEnergyInit, ownEnergy } from './own-energy.ts'

/**
 * What the certificate of this node says of its machine; undefined when its operator says nothing.
 * @throws WeftError those of `ownEnergy`
 */
export function ownResources(
  { values, roles }: Pick<Config, 'values' | 'roles'>,
  init: OwnEnergyInit,
): ResourceDescriptor | undefined {
  const site = values['resources.site']
  if (site === undefined) return undefined
  const capacity: ResourceCapacity = said({
    cores: values['resources.cores'],
    accelerators: values['resources.accelerators'],
    memoryBytes: values['resources.memory'],
    storageBytes: roles.includes('storage') ? values['storage.quota'] : undefined,
    uploadMbps: values['resources.upload_mbps'],
    downloadMbps: values['resources.download_mbps'],
  })
  const attestation = values['resources.attestation']
  const figures = said({
    grid: values['resources.grid'],
    source: values['resources.energy'],
    carbon: values['resources.carbon'],
  })
  return {
    site,
    ...said({ provider: values['resources.provider'], hardware: values['resources.hardware'] }),
    ...(isEmpty(capacity) ? {} : { capacity }),
    ...(attestation !== undefined
      ? { energy: ownEnergy(attestation, init) }
      : isEmpty(figures)
        ? {}
        : { energy: { evidence: 'declared' as const, ...figures } }),
  }
}

/** The fields that have a value. */
function said<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof said<T>
  >
}

function isEmpty(fields: object): boolean {
  return Object.keys(fields).length === 0
}
