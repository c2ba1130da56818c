import { epochAt, epochStart, rotationAt, rotationStart, toleratedFaults, waysOf } from '@weft/overlay'
import { refusalsOf } from '../health/refusals-of.ts'
import type { NetworkAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

/** The network file, as far as people care, and who signs its maps now. */
export function describeNetwork({
  network,
  networkFile: file,
  overlay,
  clock,
}: Pick<ApiServices, 'network' | 'networkFile' | 'overlay' | 'clock'>): NetworkAnswer['network'] {
  const term = overlay.term()
  const policy = waysOf(file.policy)
  const tolerated = toleratedFaults(term.validators.length)
  const seats = new Map(overlay.seats().map(({ id, state, inMap }) => [id, { state, inMap }]))
  const refusals = new Map(
    refusalsOf(overlay).map(({ validator, code, cause, fix }) => [validator, { code, cause, fix }]),
  )
  const rotation = rotationAt(file, epochAt(file, clock.now())) + 1
  return {
    ...network,
    policy,
    inviters: policy.includes('invite') ? (file.inviters ?? file.validators.map(({ id }) => id)) : [],
    attesters: file.attesters ?? [],
    minimums: Object.fromEntries(Object.entries(file.minimums ?? {}).map(([role, minimum]) => [role, { ...minimum }])),
    term: {
      number: term.number,
      fromEpoch: term.fromEpoch,
      since: epochStart(file, term.fromEpoch),
    },
    validators: term.validators.map(({ id, addresses, family }) => ({
      id,
      addresses: [...addresses],
      family,
      ...(seats.get(id) ?? { state: 'unknown', inMap: false }),
      ...(refusals.has(id) && { fault: refusals.get(id) }),
    })),
    quorum: term.quorum,
    tolerated,
    committeeSize: file.committeeSize,
    seats: file.seats,
    rotateMs: file.rotateMs,
    ...(tolerated === 0 || file.rotateMs === undefined
      ? {}
      : { nextRotation: epochStart(file, rotationStart(file, rotation)) }),
    recoveryAfterMs: file.recoveryAfterMs,
    mapEpochMs: file.mapEpochMs,
    auditEpochMs: file.auditEpochMs,
    rewardEpochMs: file.rewardEpochMs,
    certificateTtlMs: file.certificateTtlMs,
    clockToleranceMs: file.clockToleranceMs,
    createdAt: file.createdAt,
  }
}
