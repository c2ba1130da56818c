import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import type { Rpc } from '@weft/overlay'
import { create, decodeMessage, encodeMessage, METHODS, type MethodName } from '@weft/wire'
import { makeSpend } from '../../src/receipts/spend.ts'
import { RpcIssuer, serveIssuer } from '../../src/receipts/rpc-issuer.ts'
import { IssuerFixture } from './issuer-fixture.ts'

type AnyHandler = (
  request: unknown,
  caller: { readonly id: DidKey; readonly address: string },
  signal: AbortSignal,
) => Promise<unknown>

/** Calls that go from a caller to the one node that answers, as bytes and within the limits of the registry. */
class OneWay {
  readonly #handlers = new Map<MethodName, AnyHandler>()

  as(id: DidKey): Rpc {
    const call = async (_: DidKey, name: MethodName, request: object): Promise<unknown> => {
      const { request: asked, response, maxRequest, maxResponse } = METHODS[name]
      const handler = this.#handlers.get(name)
      if (handler === undefined) throw new WeftError({ code: 'E_METHOD_NOT_OFFERED', cause: name, fix: 'Ask another.' })
      const bytes = encodeMessage(asked, create(asked, request))
      assert.ok(bytes.length <= maxRequest, `${name}: ${bytes.length}`)
      const said = await handler(
        decodeMessage(asked, bytes, maxRequest),
        { id, address: '' },
        new AbortController().signal,
      )
      const answer = encodeMessage(response, create(response, said as object))
      assert.ok(answer.length <= maxResponse, `${name}: ${answer.length}`)
      return decodeMessage(response, answer, maxResponse)
    }
    const handle = (name: MethodName, handler: AnyHandler): (() => void) => {
      this.#handlers.set(name, handler)
      return () => void this.#handlers.delete(name)
    }
    return { call, handle } as unknown as Rpc
  }
}

const hop = SigningKey.generate()
const other = SigningKey.generate()
const client = SigningKey.generate().id

test('tokens are fetched and redeemed by calls: once, by their payee, in whole batches', async () => {
  await using fixture = await IssuerFixture.open({ quota: 200, guestQuota: 80 })
  const way = new OneWay()
  const end = serveIssuer(fixture.issuer, way.as(fixture.id), { isMember: (id) => id !== client })
  const { signal } = new AbortController()
  const issuer = new RpcIssuer(fixture.id, way.as(client))
  const { keys, left } = await issuer.keys(signal)
  assert.deepEqual([keys.length, left], [2, 80])
  const { file, wallet } = fixture.wallet('client')
  using _ = file
  const key = await fixture.newestKey()
  await wallet.fetch(issuer, key, key.challenge, 64, signal)
  assert.equal((await issuer.keys(signal)).left, 16)
  await assert.rejects(wallet.fetch(issuer, key, key.challenge, 64, signal), { code: 'E_RECEIPT_QUOTA' })
  const tokens = wallet.take(64, fixture.clock.now()).map((own) => ({ ...own, seed: own.seed.slice() }))
  const spends = tokens.map((own) => makeSpend(own, hop.publicKey))
  const ofHop = new RpcIssuer(fixture.id, way.as(hop.id))
  const ofOther = new RpcIssuer(fixture.id, way.as(other.id))
  assert.deepEqual(new Set(await ofOther.redeem(spends, signal)), new Set([ReceiptAnswer.notForThis]))
  assert.deepEqual(new Set(await ofHop.redeem(spends, signal)), new Set([ReceiptAnswer.taken]))
  const again = tokens.map((own) => makeSpend(own, other.publicKey))
  assert.deepEqual(new Set(await ofOther.redeem(again, signal)), new Set([ReceiptAnswer.spent]))
  end()
  await assert.rejects(issuer.keys(signal), { code: 'E_METHOD_NOT_OFFERED' })
})

test('an issuer that answers for another number of tokens is not believed', async () => {
  const rpc = {
    call: async () => ({ signatures: new Uint8Array(255), answers: new Uint8Array(2) }),
    handle: () => () => {},
  }
  const issuer = new RpcIssuer(other.id, rpc as unknown as Rpc)
  const { signal } = new AbortController()
  await assert.rejects(issuer.issue(1, [new Uint8Array(256)], signal), { code: 'E_RECEIPT_ANSWER' })
  await assert.rejects(issuer.redeem([new Uint8Array(418)], signal), { code: 'E_RECEIPT_ANSWER' })
})
