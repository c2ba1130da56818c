import { toleratedFaults, waysOf } from '@weft/overlay'
import type { NetworkAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

/** The network file, as far as people care, and who signs its maps now. */
export function describeNetwork({
  network,
  networkFile: file,
  overlay,
}: Pick<ApiServices, 'network' | 'networkFile' | 'overlay'>): NetworkAnswer['network'] {
  const term = overlay.term()
  const policy = waysOf(file.policy)
  return {
    ...network,
    policy,
    inviters: policy.includes('invite') ? (file.inviters ?? file.validators.map(({ id }) => id)) : [],
    attesters: file.attesters ?? [],
    minimums: Object.fromEntries(Object.entries(file.minimums ?? {}).map(([role, minimum]) => [role, { ...minimum }])),
    term: {
      number: term.number,
      fromEpoch: term.fromEpoch,
      since: file.createdAt + term.fromEpoch * file.mapEpochMs,
    },
    validators: term.validators.map(({ id, addresses, family }) => ({ id, addresses: [...addresses], family })),
    tolerated: toleratedFaults(term.validators.length),
    committeeSize: file.committeeSize,
    seats: file.seats,
    recoveryAfterMs: file.recoveryAfterMs,
    mapEpochMs: file.mapEpochMs,
    auditEpochMs: file.auditEpochMs,
    rewardEpochMs: file.rewardEpochMs,
    certificateTtlMs: file.certificateTtlMs,
    clockToleranceMs: file.clockToleranceMs,
    createdAt: file.createdAt,
  }
}
