import type { Fault } from '@weft/core'

/**
 * Bytes that coding threads and the main thread both see: nothing is copied or moved to hand a segment over. Whoever has
 * given them away with a job must not touch them until it hears about them again.
 */
export type SharedBytes = Uint8Array<SharedArrayBuffer>

export interface CodeParameters {
  readonly k: number
  readonly n: number
}

/** Plaintext to n sealed shards (`encodeSegment`), which are written into `shards`. */
export interface EncodeJob extends CodeParameters {
  readonly kind: 'encode'
  readonly dataKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly last: boolean
  readonly plaintext: SharedBytes
  readonly nodes: readonly Uint8Array[]
  readonly shards: readonly SharedBytes[]
}

/** One shard as a holder sent it: checked and opened in place (`verifyShard`). */
export interface VerifyJob {
  readonly kind: 'verify'
  readonly sealKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly index: number
  readonly node: Uint8Array
  readonly root: Uint8Array
  readonly shard: SharedBytes
}

/** Verified shards to plaintext (`decodeSegment`), which is written into `plaintext`. */
export interface DecodeJob extends CodeParameters {
  readonly kind: 'decode'
  readonly dataKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly last: boolean
  readonly length: number
  /** Those that are wanted, as `decodeSegment` has them. */
  readonly frames: { readonly first: number; readonly end: number }
  readonly shards: readonly (SharedBytes | undefined)[]
  /** As many bytes as these frames hold. */
  readonly plaintext: SharedBytes
}

/** A sealed shard for another holder: opened with the key of one node and sealed with that of another, into `into`. */
export interface ResealJob {
  readonly kind: 'reseal'
  readonly sealKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly index: number
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly shard: SharedBytes
  /** May be `shard` itself. */
  readonly into: SharedBytes
}

/** Verified shards to one that is lost, sealed for the holder that its owner chose, written into `into`. */
export interface RestoreJob extends CodeParameters {
  readonly kind: 'restore'
  readonly sealKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly index: number
  readonly node: Uint8Array
  readonly root: Uint8Array
  readonly shards: readonly (SharedBytes | undefined)[]
  readonly into: SharedBytes
}

export type CodingJob = EncodeJob | VerifyJob | DecodeJob | ResealJob | RestoreJob

export interface SealedShard {
  readonly index: number
  /** Of the sealed bytes. */
  readonly root: Uint8Array
}

/** Whether a verified or restored shard is the one that its owner signed; true for other jobs. */
export type CodingResult = boolean

/** What a worker posts: shards of an encode job one by one, then exactly one result or fault. A worker has one job at a time. */
export type WorkerMessage =
  | { readonly type: 'shard'; readonly shard: SealedShard }
  | { readonly type: 'done'; readonly result: CodingResult }
  | { readonly type: 'failed'; readonly fault: Fault }
