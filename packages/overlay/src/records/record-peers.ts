import { WeftError, equalBytes } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { CallOptions, Rpc } from '../rpc.ts'
import type { RecordHolder } from './record-holder.ts'
import { type VerifiedRecord, isSameRecord, verifyRecord } from './record.ts'
import type { RecordKey } from './record-store.ts'

/** One holder's word about a key: a verified record, or that it has none. */
export type HolderAnswer = VerifiedRecord | undefined

/** Asks holders, over the wire or, where the holder is this node, without it. What it hands out is verified. */
export class RecordPeers {
  readonly #rpc: Rpc
  readonly #self: DidKey
  readonly #local: RecordHolder | undefined

  constructor(rpc: Rpc, self: DidKey, local: RecordHolder | undefined) {
    this.#rpc = rpc
    this.#self = self
    this.#local = local
  }

  /**
   * What the holder has under the key. Most holders send the same record: what `known` has is not verified again (a
   * signature takes some 100 us), and what is new is added to it.
   * @throws WeftError E_RECORD_INVALID and kin when the answer is not what was asked for; the faults of Rpc.call
   */
  async get(holder: DidKey, key: RecordKey, known: VerifiedRecord[], options: CallOptions): Promise<HolderAnswer> {
    const message =
      holder === this.#self && this.#local !== undefined
        ? this.#local.get(key)
        : (await this.#rpc.call(holder, 'record.get', { key }, options)).record
    if (message === undefined) return undefined
    const same = known.find((record) => isSameRecord(record.message, message))
    if (same !== undefined) return same
    const record = verifyRecord(message)
    if (!equalBytes(record.key, key)) {
      throw new WeftError({
        code: 'E_RECORD_INVALID',
        cause: 'The holder answered with the record of another key.',
        fix: 'Nothing to do: the answer is not counted. The holder is faulty or lies.',
      })
    }
    known.push(record)
    return record
  }

  /** @throws WeftError the faults of RecordHolder.put and of Rpc.call */
  async put(holder: DidKey, record: VerifiedRecord, options: CallOptions): Promise<void> {
    if (holder === this.#self && this.#local !== undefined) await this.#local.put(record, this.#self)
    else await this.#rpc.call(holder, 'record.put', { record: record.message }, options)
  }
}
