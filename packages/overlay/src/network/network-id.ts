import { toBase32 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import {
  DEFAULT_AUDIT_EPOCH_MS,
  DEFAULT_REWARD_EPOCH_MS,
  type NetworkFile,
  defaultRecoveryAfterMs,
  defaultRotateMs,
} from './network-file.ts'

/** The form of a network id, for parsers. */
export const NETWORK_ID = /^w[a-z2-7]{32}$/

/**
 * The name of a network: `w` and the base32 of the first 20 bytes of SHA-256 over its identity. It is part of every
 * protocol id, so that two networks never merge.
 */
export function networkIdOf(file: NetworkFile): string {
  return `w${toBase32(sha256(networkIdentity(file)).subarray(0, 20))}`
}

/**
 * What the id is made of: the dag-cbor of the parsed file, defaults filled in. Keys that joined after the first networks
 * are left out where they have their default, so that those networks keep their ids.
 */
export function networkIdentity(file: NetworkFile): Uint8Array {
  const { auditEpochMs, rewardEpochMs, recoveryAfterMs, seats, rotateMs, ...first } = file
  return encodeCanonical({
    ...first,
    ...(auditEpochMs === DEFAULT_AUDIT_EPOCH_MS ? {} : { auditEpochMs }),
    ...(rewardEpochMs === DEFAULT_REWARD_EPOCH_MS ? {} : { rewardEpochMs }),
    ...(recoveryAfterMs === defaultRecoveryAfterMs(file.mapEpochMs) ? {} : { recoveryAfterMs }),
    ...(seats === file.validators.length ? {} : { seats }),
    ...(rotateMs === defaultRotateMs(seats) ? {} : { rotateMs }),
  })
}
