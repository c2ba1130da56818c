import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DidKey, SigningKey } from '@weft/crypto'
import {
  type Access,
  CertificateSchema,
  METHODS,
  type MethodName,
  SubmitRequestSchema,
  create,
  encodeMessage,
} from '@weft/wire'
import { EncodedAnswer } from '../../src/rpc.ts'
import { RpcDispatcher } from '../../src/transport/rpc-dispatcher.ts'

const caller = { id: SigningKey.generate().id, address: '/ip4/192.0.2.1/tcp/1' }
const never = new AbortController().signal
const RANK = { anyone: 0, member: 1, validator: 2 } as const

function dispatcherFor(rank: Access, burst = 1_000): RpcDispatcher {
  let left = burst
  const take = (_: unknown, cost: number): boolean => {
    if (cost > left) return false
    left -= cost
    return true
  }
  return new RpcDispatcher({ allows: (_: DidKey, access) => RANK[access] <= RANK[rank] }, { take })
}

for (const rank of ['anyone', 'member', 'validator'] as const) {
  for (const [name, spec] of Object.entries(METHODS)) {
    const open = RANK[spec.access] <= RANK[rank]
    test(`${name} is ${open ? 'open' : 'closed'} to a caller of rank ${rank}`, async () => {
      const dispatcher = dispatcherFor(rank)
      let reached = false
      dispatcher.handle(name as MethodName, async () => {
        reached = true
        return {}
      })
      const answer = dispatcher.answer(name, new Uint8Array(), caller, never)
      if (open) await answer
      else
        await assert.rejects(answer, {
          code: spec.access === 'validator' ? 'E_ACCESS_VALIDATORS_ONLY' : 'E_ACCESS_MEMBERS_ONLY',
        })
      assert.equal(reached, open)
    })
  }
}

test('a method that is not in the registry, also one that every object has', async () => {
  for (const method of ['no.such', '', 'toString', '__proto__']) {
    await assert.rejects(dispatcherFor('validator').answer(method, new Uint8Array(), caller, never), {
      code: 'E_METHOD_UNKNOWN',
    })
  }
})

test('a body is measured before it is parsed, and parsed strictly', async () => {
  const dispatcher = dispatcherFor('validator')
  dispatcher.handle('map.head', async () => ({}))
  await assert.rejects(
    dispatcher.answer('map.head', new Uint8Array(METHODS['map.head'].maxRequest + 1), caller, never),
    { code: 'E_MESSAGE_TOO_LARGE' },
  )
  await assert.rejects(dispatcher.answer('map.head', Uint8Array.of(0xff), caller, never), {
    code: 'E_MESSAGE_MALFORMED',
  })
  // Field 1000, varint 1.
  await assert.rejects(dispatcher.answer('map.head', Uint8Array.of(0xc0, 0x3e, 0x01), caller, never), {
    code: 'E_MESSAGE_UNKNOWN_FIELD',
  })
})

test('the rate counts large requests for more', async () => {
  const dispatcher = dispatcherFor('validator', 5)
  dispatcher.handle('map.propose', async () => ({}))
  // 64 KiB cost 5; it is malformed, which does not make it free.
  await assert.rejects(dispatcher.answer('map.propose', new Uint8Array(64 * 1_024).fill(0xff), caller, never), {
    code: 'E_MESSAGE_MALFORMED',
  })
  await assert.rejects(dispatcher.answer('map.head', new Uint8Array(), caller, never), {
    code: 'E_RATE_LIMITED',
    retryable: true,
  })
})

test('a call takes of the rate what its method costs', async () => {
  const { cost } = METHODS['admission.submit']
  assert.ok(cost >= 8)
  const dispatcher = dispatcherFor('anyone', 2 * cost + 1)
  dispatcher.handle('admission.submit', async () => ({}))
  const submit = (): Promise<unknown> => dispatcher.answer('admission.submit', new Uint8Array(), caller, never)
  await submit()
  await submit()
  await assert.rejects(submit(), { code: 'E_RATE_LIMITED' })
  await assert.rejects(dispatcher.answer('no.such', new Uint8Array(), caller, never), { code: 'E_METHOD_UNKNOWN' })
})

test('a request has as many list items as its method takes, however short they are', async () => {
  const dispatcher = dispatcherFor('anyone')
  dispatcher.handle('admission.submit', async () => ({}))
  const submit = (votes: number): Promise<unknown> => {
    const certificate = create(CertificateSchema, { votes: Array.from({ length: votes }, () => ({})) })
    const body = encodeMessage(SubmitRequestSchema, create(SubmitRequestSchema, { certificate }))
    return dispatcher.answer('admission.submit', body, caller, never)
  }
  await submit(64)
  await assert.rejects(submit(65), { code: 'E_MESSAGE_MALFORMED' })
})

test('the largest frame follows the rank of the caller', () => {
  assert.ok(dispatcherFor('anyone').maxFrame(caller) < 128 * 1_024)
  assert.ok(dispatcherFor('validator').maxFrame(caller) >= METHODS['map.propose'].maxRequest)
})

test('an answer that is encoded already goes out as it is, within the limit of its method', async () => {
  const dispatcher = dispatcherFor('validator')
  let bytes = Uint8Array.of(1, 2, 3)
  dispatcher.handle('peer.ping', async () => new EncodedAnswer(bytes))
  assert.equal(await dispatcher.answer('peer.ping', new Uint8Array(), caller, never), bytes)
  bytes = new Uint8Array(METHODS['peer.ping'].maxResponse + 1)
  await assert.rejects(dispatcher.answer('peer.ping', new Uint8Array(), caller, never), RangeError)
})
