/** What was said in the recovery of a term, and in which one: a newer map may begin another. */
export interface StoredRecovery {
  readonly context: string
  /** As the agreement keeps it. */
  readonly state: Uint8Array
}

/** Where terms are kept. A write that has returned outlives a crash of the node. */
export interface TermStore {
  /** The wire form (weft.v1.Succession) of how the term of this number began. */
  succession(number: number): Uint8Array | undefined
  saveSuccession(number: number, succession: Uint8Array): void
  /** Of the term of this number. */
  recovery(number: number): StoredRecovery | undefined
  /** That of earlier terms is dropped. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
  saveRecovery(number: number, recovery: StoredRecovery): void
  /** What was said in the handover to the term of this number, as the agreement keeps it. */
  handover(number: number): Uint8Array | undefined
  /** That of earlier terms is dropped. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
  saveHandover(number: number, state: Uint8Array): void
  /** The rotation that was drawn for the term of this number: the value of a handover. */
  rotation(number: number): Uint8Array | undefined
  /** That of earlier terms is dropped; that of this one, without a value. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
  saveRotation(number: number, value: Uint8Array | undefined): void
}
