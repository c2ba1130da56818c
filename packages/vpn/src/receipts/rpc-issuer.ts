import { concatBytes, WeftError } from '@weft/core'
import { type DidKey, TOKEN_MODULUS_BYTES } from '@weft/crypto'
import type { Membership, Rpc } from '@weft/overlay'
import type { IssuerKey, ReceiptIssuer } from './receipt-issuer.ts'
import type { UnbackedIssuer } from './unbacked-issuer.ts'

/** An issuer signs 64 tokens in 50 ms, and may have others to serve; ms. */
const TIMEOUT_MS = 15_000
/** Keys in one answer that are looked at. */
const MOST_KEYS = 8

/** An issuer that is another member, or this node itself: by calls (docs/specs/receipts.md, Issuing and redeeming). */
export class RpcIssuer implements ReceiptIssuer {
  readonly id: DidKey
  readonly #rpc: Rpc

  constructor(id: DidKey, rpc: Rpc) {
    this.id = id
    this.#rpc = rpc
  }

  async keys(signal: AbortSignal): Promise<{ readonly keys: readonly IssuerKey[]; readonly left: number }> {
    const { keys, left } = await this.#rpc.call(this.id, 'receipts.keys', {}, { signal, timeoutMs: TIMEOUT_MS })
    return {
      keys: keys.slice(0, MOST_KEYS).map(({ epoch, key }) => ({ issuer: this.id, epoch, bytes: key })),
      left,
    }
  }

  async issue(epoch: number, blinded: readonly Uint8Array[], signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const request = { epoch, blinded: concatBytes(blinded) }
    const { signatures } = await this.#rpc.call(this.id, 'receipts.issue', request, { signal, timeoutMs: TIMEOUT_MS })
    if (signatures.length !== request.blinded.length) throw this.#malformed('receipts.issue')
    return blinded.map((_, at) => signatures.subarray(at * TOKEN_MODULUS_BYTES, (at + 1) * TOKEN_MODULUS_BYTES))
  }

  async redeem(spends: readonly Uint8Array[], signal: AbortSignal): Promise<readonly number[]> {
    const request = { spends: concatBytes(spends) }
    const { answers } = await this.#rpc.call(this.id, 'receipts.redeem', request, { signal, timeoutMs: TIMEOUT_MS })
    if (answers.length !== spends.length) throw this.#malformed('receipts.redeem')
    return [...answers]
  }

  #malformed(method: string): WeftError {
    return new WeftError({
      code: 'E_RECEIPT_ANSWER',
      cause: `The issuer ${this.id} answered ${method} for another number of tokens than it was asked for.`,
      fix: 'Take it out of receipts.issuers, or ask its operator.',
    })
  }
}

/** The issuer of this node's own, as this node asks it. */
export class OwnIssuer implements ReceiptIssuer {
  readonly id: DidKey
  readonly #issuer: UnbackedIssuer
  readonly #isMember: () => boolean

  /** @param isMember whether this node is one, by which its quota goes */
  constructor(id: DidKey, issuer: UnbackedIssuer, isMember: () => boolean) {
    this.id = id
    this.#issuer = issuer
    this.#isMember = isMember
  }

  async keys(): Promise<{ readonly keys: readonly IssuerKey[]; readonly left: number }> {
    return { keys: await this.#issuer.keys(), left: this.#issuer.left(this.id, this.#isMember()) }
  }

  async issue(epoch: number, blinded: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const all = await this.#issuer.issue(this.id, this.#isMember(), epoch, concatBytes(blinded))
    return blinded.map((_, at) => all.subarray(at * TOKEN_MODULUS_BYTES, (at + 1) * TOKEN_MODULUS_BYTES))
  }

  async redeem(spends: readonly Uint8Array[]): Promise<readonly number[]> {
    return [...(await this.#issuer.redeem(this.id, concatBytes(spends)))]
  }
}

/** Answers the calls of others for an issuer of this node's own, until the function that is returned is called. */
export function serveIssuer(issuer: UnbackedIssuer, rpc: Rpc, membership: Pick<Membership, 'isMember'>): () => void {
  const ends = [
    rpc.handle('receipts.keys', async (_, { id }) => ({
      keys: (await issuer.keys()).map(({ epoch, bytes }) => ({ epoch, key: bytes })),
      left: issuer.left(id, membership.isMember(id)),
    })),
    rpc.handle('receipts.issue', async ({ epoch, blinded }, { id }) => ({
      signatures: await issuer.issue(id, membership.isMember(id), epoch, blinded),
    })),
    rpc.handle('receipts.redeem', async ({ spends }, { id }) => ({ answers: await issuer.redeem(id, spends) })),
  ]
  return () => ends.forEach((end) => end())
}
