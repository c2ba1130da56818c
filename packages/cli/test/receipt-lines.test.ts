import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Output } from '../src/output/output.ts'
import { receiptLines } from '../src/output/receipt-lines.ts'

const stream = new PassThrough() as never
const output = new Output(false, stream, stream)

test('pay for circuits is told in a few lines, with what is wrong once', () => {
  const fault = { code: 'E_RECEIPT_QUOTA', cause: 'All spent.', fix: 'Wait.' }
  const lines = receiptLines(
    {
      issuers: [{ node: 'did:key:zIssuer1234567890', left: 1, fault }],
      tokens: 5,
      purse: {
        tokens: 7,
        paid: 3,
        isEmpty: false,
        refused: [{ node: 'did:key:zHop', why: 'it was spent before' }],
        overcharged: ['did:key:zGreedy'],
      },
      books: { owed: 4, redeemed: 10, refused: 1, lapsed: 2 },
      fault,
    },
    true,
    output,
  )
  assert.deepEqual(lines.slice(0, 5), [
    'tokens    12 at hand, 3 paid',
    'received  4 to be redeemed, 10 redeemed, 1 refused, 2 lapsed',
    'issuer    did:key:zIssuer1234567890: 1 token left for today',
    'refused   by did:key:zHop: it was spent before',
    'not paid  did:key:zGreedy said that more was due than it carried',
  ])
  assert.equal(lines.filter((line) => line.includes('E_RECEIPT_QUOTA')).length, 1)
})

test('an issuer that did not answer yet, and a node that carries nothing, are told as that', () => {
  const lines = receiptLines({ issuers: [{ node: 'did:key:zIssuer' }], tokens: 0 }, true, output)
  assert.deepEqual(lines, ['tokens    0 at hand', 'issuer    did:key:zIssuer: has not answered yet'])
})
