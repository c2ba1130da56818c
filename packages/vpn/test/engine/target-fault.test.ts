import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DNS_STREAM, IP_CHANNEL, SessionCode, UDP_CHANNEL } from '@weft/onion'
import { targetFault } from '../../src/engine/target-fault.ts'

test('what an exit does not offer is named: IP packets alone are those that exit.ip allows', () => {
  const code = (target?: Parameters<typeof targetFault>[1]): string => targetFault(SessionCode.notOffered, target).code
  assert.equal(code(IP_CHANNEL), 'E_EXIT_NO_IP')
  for (const target of [{ host: 'a.test', port: 80 }, UDP_CHANNEL, DNS_STREAM, undefined])
    assert.equal(code(target), 'E_EXIT_NOT_OFFERED')
  const service = { host: 'overlay', port: 0, protocol: 'service', member: new Uint8Array(32) } as const
  assert.equal(code(service), 'E_SERVICE_NOT_OFFERED')
})

test('every code has a cause and a fix, without the target', () => {
  for (const code of Object.values(SessionCode)) {
    const { cause, fix, details } = targetFault(code, { host: 'secret.test', port: 80 })
    assert.ok(cause !== '' && fix !== '', String(code))
    assert.ok(!`${cause} ${fix}`.includes('secret'))
    assert.equal(details.code, code)
  }
})
