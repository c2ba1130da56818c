import { toleratedFaults, waysOf } from '@weft/overlay'
import type { NetworkAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

/** The network file, as far as people care. */
export function describeNetwork({
  network,
  networkFile: file,
}: Pick<ApiServices, 'network' | 'networkFile'>): NetworkAnswer['network'] {
  const policy = waysOf(file.policy)
  return {
    ...network,
    policy,
    inviters: policy.includes('invite') ? (file.inviters ?? file.validators.map(({ id }) => id)) : [],
    minimums: Object.fromEntries(Object.entries(file.minimums ?? {}).map(([role, minimum]) => [role, { ...minimum }])),
    validators: file.validators.map(({ id, addresses, family }) => ({ id, addresses, family })),
    tolerated: toleratedFaults(file.validators.length),
    committeeSize: file.committeeSize,
    mapEpochMs: file.mapEpochMs,
    auditEpochMs: file.auditEpochMs,
    rewardEpochMs: file.rewardEpochMs,
    certificateTtlMs: file.certificateTtlMs,
    clockToleranceMs: file.clockToleranceMs,
    createdAt: file.createdAt,
  }
}
