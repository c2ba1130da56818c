import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { signReceipt } from '../../src/audit/signed-audit.ts'
import { AuditNetwork, type AuditNode } from './audit-network.ts'

/** Five validators, so that two of them are not drawn for a holder. */
async function setUp() {
  const network = await AuditNetwork.of(9, 5)
  const put = await network.put(1, 30_000)
  const [holder] = network.holders as [AuditNode]
  const epoch = network.auditEpoch
  const drawn: AuditNode[] = []
  const others: AuditNode[] = []
  for (const validator of network.validators) {
    const manifest = { epoch: BigInt(epoch) }
    const isDrawn = await network.call(validator.id, holder.id, 'audit.manifest', manifest).then(
      () => true,
      (error: unknown) => (assert.ok(isWeftError(error, 'E_AUDIT_NOT_DRAWN'), String(error)), false),
    )
    ;(isDrawn ? drawn : others).push(validator)
  }
  return { network, put, holder, epoch, drawn, others, [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() }
}

test('only the three validators whose turn it is get an answer', async () => {
  await using audit = await setUp()
  const { network, holder, epoch, drawn, others } = audit
  assert.deepEqual([drawn.length, others.length], [3, 2])
  const question = { epoch: BigInt(epoch), first: 0, count: 1 }
  network.mapEpoch++
  await network.call(drawn[0]!.id, holder.id, 'audit.answer', question)
  const ask = (from: DidKey): Promise<unknown> => network.call(from, holder.id, 'audit.answer', question)
  await assert.rejects(ask(others[0]!.id), { code: 'E_AUDIT_NOT_DRAWN' })
  await assert.rejects(ask(network.holders[1]!.id), { code: 'E_AUDIT_NOT_DRAWN' })
})

test('nothing is answered before the beacon after the manifest, nor of another epoch', async () => {
  await using audit = await setUp()
  const { network, holder, epoch, drawn } = audit
  const ask = (number: number): Promise<unknown> =>
    network.call(drawn[0]!.id, holder.id, 'audit.answer', { epoch: BigInt(number), first: 0, count: 1 })
  await assert.rejects(ask(epoch), { code: 'E_AUDIT_BEACON' })
  network.mapEpoch++
  await ask(epoch)
  for (const other of [epoch - 1, epoch + 1]) await assert.rejects(ask(other), { code: 'E_AUDIT_EPOCH' })
  const again = { epoch: BigInt(epoch + 1) }
  await assert.rejects(network.call(drawn[0]!.id, holder.id, 'audit.manifest', again), { code: 'E_AUDIT_EPOCH' })
})

test('an auditor gets what was drawn and no more, as often as an audit takes and no oftener', async () => {
  await using audit = await setUp()
  const { network, put, holder, epoch, drawn } = audit
  network.mapEpoch++
  const [auditor] = drawn as [AuditNode]
  const ask = (question: object): Promise<unknown> =>
    network.call(auditor.id, holder.id, 'audit.answer', { epoch: BigInt(epoch), ...question })
  const name = { object: put.key.publicKey, segment: 0, index: 0 }
  const hostile = [
    {},
    { first: 0, count: 17 },
    { first: 3, count: 1 },
    { first: 2, count: 2 },
    { first: 4_294_967_295, count: 1 },
    { first: 0, count: 4_294_967_295 },
    { first: 0, count: 1, names: [name] },
    { names: Array.from({ length: 17 }, () => name) },
    { names: [{ ...name, object: name.object.slice(1) }] },
  ]
  for (const question of hostile) await assert.rejects(ask(question), { code: 'E_AUDIT_QUESTION' })
  let answers = 0
  const asked = (async () => {
    for (;;) await ask({ first: 0, count: 1 }).then(() => answers++)
  })()
  await assert.rejects(asked, { code: 'E_AUDIT_LIMIT' })
  assert.ok(answers > 40 && answers < 400, `${answers}`)
  // What one auditor did is no matter of another's.
  await network.call(drawn[1]!.id, holder.id, 'audit.answer', { epoch: BigInt(epoch), first: 0, count: 1 })
})

test('two questions of an auditor at a time, and a limited number of manifests', async () => {
  await using audit = await setUp()
  const { network, holder, epoch, drawn } = audit
  network.mapEpoch++
  const [auditor] = drawn as [AuditNode]
  const ask = (): Promise<unknown> =>
    network.call(auditor.id, holder.id, 'audit.answer', { epoch: BigInt(epoch), first: 0, count: 3 })
  const results = await Promise.allSettled([ask(), ask(), ask()])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  const manifests = (async () => {
    for (;;) await network.call(auditor.id, holder.id, 'audit.manifest', { epoch: BigInt(epoch) })
  })()
  await assert.rejects(manifests, { code: 'E_AUDIT_LIMIT' })
})

test('a receipt counts from an auditor that was drawn, for this node, epoch and network, and once', async () => {
  await using audit = await setUp()
  const { network, holder, epoch, drawn, others } = audit
  const receipt = (over: object = {}, by = drawn[0]!) =>
    signReceipt(by.key, {
      network: 'test-net',
      epoch: BigInt(epoch),
      node: holder.key.publicKey,
      auditor: by.key.publicKey,
      verdict: 0,
      ...over,
    })
  const give = (what: object, from = drawn[0]!): Promise<unknown> =>
    network.call(from.id, holder.id, 'audit.receipt', what)
  const refused = { code: 'E_AUDIT_NOT_DRAWN' }
  const worthless = { code: 'E_AUDIT_STATEMENT' }
  await assert.rejects(give(receipt({ network: 'other' })), refused)
  await assert.rejects(give(receipt({ epoch: BigInt(epoch - 2) })), refused)
  await assert.rejects(give(receipt({ epoch: BigInt(epoch + 1) })), refused)
  await assert.rejects(give(receipt({ node: network.holders[1]!.key.publicKey })), refused)
  await assert.rejects(give(receipt({}, others[0]), others[0]), refused)
  await assert.rejects(give(receipt({}, drawn[1])), worthless)
  await assert.rejects(give(receipt({ verdict: 4 })), worthless)
  await assert.rejects(give(receipt({ at: 2n ** 60n })), worthless)
  assert.deepEqual(holder.audits.own(), [])
  await give(receipt())
  await give(receipt({ verdict: 2 }))
  assert.deepEqual(
    holder.audits.own().map(({ verdict }) => verdict),
    ['kept'],
  )
})
