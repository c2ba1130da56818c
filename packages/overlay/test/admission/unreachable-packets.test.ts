import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unreachablePackets } from '../../src/admission/unreachable-packets.ts'

test('who is not reached by UDP reads at which port, and what to open', () => {
  const { code, cause, fix } = unreachablePackets('/ip6/2001:db8::7/udp/4782')
  assert.equal(code, 'E_ADMISSION_UNREACHABLE')
  assert.match(cause, /\/ip6\/2001:db8::7\/udp\/4782 failed the probe: .* on UDP port 4782 of 2001:db8::7\.$/)
  assert.match(fix, /^Open UDP port 4782 \(ports\.packets\)/)
})

test('an entry that takes no packets in TLS reads that it is TCP', () => {
  const { cause, fix } = unreachablePackets('/ip4/192.0.2.1/udp/443', 'TCP')
  assert.match(cause, /TCP port 443 of 192\.0\.2\.1/)
  assert.match(fix, /^Open TCP port 443 \(ports\.packets, for packets in TLS\)/)
})
