import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError, isWeftError } from '@weft/core'
import type { AdmissionCase } from '../../../src/admission/admission-check.ts'
import { reachabilityCheck } from '../../../src/admission/checks/reachability-check.ts'

/** What an applicant is told when its only address failed like this. */
async function told(fault: WeftError): Promise<string> {
  const result = { address: '/ip4/203.0.113.7/tcp/22', fault }
  const admission = { dialBack: { results: async () => [result] } } as unknown as AdmissionCase
  const error: unknown = await Promise.resolve(reachabilityCheck.run(admission, AbortSignal.timeout(1_000))).catch(
    (reason: unknown) => reason,
  )
  assert.ok(isWeftError(error, 'E_ADMISSION_UNREACHABLE'))
  return `${error.cause} ${error.fix} ${JSON.stringify(error.details)}`
}

test('an applicant does not learn what a validator met at the address that it named', async () => {
  const fault = (reason: string): WeftError =>
    new WeftError({ code: 'E_NODE_UNREACHABLE', cause: `x cannot be reached: ${reason}.`, fix: `y ${reason}` })
  const [first, ...others] = await Promise.all(
    ['ECONNREFUSED', 'no answer within 5000 ms', 'SSH-2.0-OpenSSH'].map((reason) => told(fault(reason))),
  )
  assert.match(first!, /203\.0\.113\.7/)
  for (const other of others) assert.equal(other, first)
})

test('what its own node said wrong it learns', async () => {
  const fault = new WeftError({ code: 'E_NETWORK_MISMATCH', cause: 'It belongs to the network wother.', fix: 'y' })
  assert.match(await told(fault), /wother/)
})
