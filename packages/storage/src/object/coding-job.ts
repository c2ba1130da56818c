import type { Fault } from '@weft/core'

/** Bytes that move between threads: their buffer goes along and is gone on the other side. */
export type Movable = Uint8Array<ArrayBuffer>

export interface CodeParameters {
  readonly k: number
  readonly n: number
}

/** Plaintext to n sealed shards (`encodeSegment`). All buffers move to the worker and come back. */
export interface EncodeJob extends CodeParameters {
  readonly kind: 'encode'
  readonly dataKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly last: boolean
  readonly plaintext: Movable
  readonly nodes: readonly Uint8Array[]
  readonly shards: readonly Movable[]
}

/** One shard as a holder sent it: opened and checked (`verifyShard`). Its buffer comes back. */
export interface VerifyJob {
  readonly kind: 'verify'
  readonly dataKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly index: number
  readonly node: Uint8Array
  readonly root: Uint8Array
  readonly shard: Movable
}

/** Verified shards to plaintext (`decodeSegment`). The shards' buffers come back. */
export interface DecodeJob extends CodeParameters {
  readonly kind: 'decode'
  readonly dataKey: Uint8Array
  readonly object: Uint8Array
  readonly segment: number
  readonly last: boolean
  readonly length: number
  readonly shards: readonly (Movable | undefined)[]
}

export type CodingJob = EncodeJob | VerifyJob | DecodeJob

export interface SealedShard {
  readonly index: number
  readonly root: Uint8Array
  readonly shard: Movable
}

export interface CodingResults {
  /** The plaintext's buffer, back for the next segment. */
  readonly encode: { readonly plaintext: Movable }
  readonly verify: { readonly valid: boolean; readonly shard: Movable }
  readonly decode: { readonly frames: readonly Movable[]; readonly shards: readonly Movable[] }
}

export type CodingResult = CodingResults[keyof CodingResults]

/** What a worker posts: shards of an encode job one by one, then exactly one result or fault. A worker has one job at a time. */
export type WorkerMessage =
  | { readonly type: 'shard'; readonly shard: SealedShard }
  | { readonly type: 'done'; readonly result: CodingResult }
  | { readonly type: 'failed'; readonly fault: Fault }
