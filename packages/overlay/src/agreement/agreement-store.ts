/**
 * Epochs whose part in the agreement is remembered. Earlier ones are never spoken in again; more than one is kept, so that
 * a clock that jumped ahead and was set right does not silence a validator.
 */
export const KEPT_EPOCHS = 64

/** Where a validator keeps what it must not forget of the agreement. A write has returned only once it is synced. */
export interface AgreementStore {
  /** What was saved last of an epoch; `spent` for one that is so old that it may have been forgotten. */
  agreement(epoch: number): Uint8Array | 'spent' | undefined
  /** @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
  saveAgreement(epoch: number, state: Uint8Array): void
  /** Keeps the first evidence against a validator (32 bytes). @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
  saveEvidence(validator: Uint8Array, evidence: Uint8Array): void
}
