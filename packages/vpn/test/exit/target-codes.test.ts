import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { SessionCode } from '@weft/onion'
import { codeOfResolve, codeOfSystem } from '../../src/exit/target-codes.ts'

test('what the system says of a target has the code of docs/specs/session.md for it', () => {
  for (const [said, code] of [
    ['ECONNREFUSED', SessionCode.connectionRefused],
    ['ENETUNREACH', SessionCode.networkUnreachable],
    ['ENETDOWN', SessionCode.networkUnreachable],
    ['EHOSTUNREACH', SessionCode.hostUnreachable],
    ['EHOSTDOWN', SessionCode.hostUnreachable],
    ['ETIMEDOUT', SessionCode.timedOut],
    ['ECONNRESET', SessionCode.connectionReset],
    ['EMFILE', SessionCode.limit],
    ['ENFILE', SessionCode.limit],
    ['EACCES', SessionCode.policy],
    ['EINVAL', SessionCode.internal],
    [undefined, SessionCode.internal],
  ] as const)
    assert.equal(codeOfSystem(said), code, String(said))
})

test('a name that is not there, one too many, and a server that is silent are told apart', () => {
  const fault = (code: string): WeftError => new WeftError({ code, cause: '', fix: '' })
  assert.equal(codeOfResolve(fault('E_NAME_NOT_FOUND')), SessionCode.nameNotFound)
  assert.equal(codeOfResolve(fault('E_NAME_LIMIT')), SessionCode.limit)
  assert.equal(codeOfResolve(fault('E_NAME_SERVER')), SessionCode.nameServerFailed)
  assert.equal(codeOfResolve(new Error('any other')), SessionCode.nameServerFailed)
})
