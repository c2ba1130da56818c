import { type Scope, orAborted } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Membership } from '../member.ts'
import type { LeaveOptions } from '../overlay.ts'
import type { Records } from '../records/create-record-store.ts'
import type { HandOver } from '../records/record-replicator.ts'
import type { MembershipService } from './membership-service.ts'

export interface LeaveInit extends LeaveOptions {
  readonly self: DidKey
  readonly membership: Pick<Membership, 'isMember' | 'onChange'>
  readonly service: Pick<MembershipService, 'leave' | 'stay'>
  readonly handOver: Records['handOver']
  readonly scope: Scope
}

/** Takes a node out of the map and hands over what it holds; takes that back when it is not brought to its end. */
export async function leave(init: LeaveInit): Promise<HandOver> {
  const { self, membership, service, handOver, scope, onProgress = () => {} } = init
  const signal = init.signal === undefined ? scope.signal : AbortSignal.any([init.signal, scope.signal])
  try {
    onProgress({ step: 'leaving-map' })
    await service.leave(signal)
    await untilOut(membership, self, signal)
    return await handOver(signal, (done) => onProgress({ step: 'records', ...done }))
  } catch (error) {
    service.stay()
    throw error
  }
}

/** @throws WeftError E_ABORTED */
async function untilOut(
  membership: Pick<Membership, 'isMember' | 'onChange'>,
  self: DidKey,
  signal: AbortSignal,
): Promise<void> {
  const { promise: out, resolve } = Promise.withResolvers<void>()
  const check = (): void => {
    if (!membership.isMember(self)) resolve()
  }
  const unsubscribe = membership.onChange(check)
  check()
  try {
    await orAborted(out, signal)
  } finally {
    unsubscribe()
  }
}
