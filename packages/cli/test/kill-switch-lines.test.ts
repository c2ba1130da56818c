import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killSwitchLine, killSwitchLines, stricterLines } from '../src/output/kill-switch-lines.ts'
import { Output } from '../src/output/output.ts'

const NONE = { packets: 0, bytes: 0 }
const ON = {
  state: 'on' as const,
  since: Date.UTC(2026, 10, 23, 5, 16),
  allowLan: false,
  uid: 1000,
  orderedBy: ['person'] as const,
  nodes: 2,
  blocked: {
    dns: { packets: 3, bytes: 180 },
    lan: NONE,
    ipv6: NONE,
    forwarded: NONE,
    other: { packets: 1, bytes: 40 },
  },
  differences: [],
  reboot: { isProtected: true, cause: '', fix: '' },
}
const output = new Output(false)

test('a kill switch that is on: what it lets out, what it held back, the next start, and how to unblock', () => {
  const lines = killSwitchLines(ON, output).join('\n')
  assert.match(lines, /^kill switch on: nothing leaves but through the tunnel; 4 packets blocked\n/)
  assert.match(lines, /\n {2}since {7}2026-11-23 05:16 UTC\n/)
  assert.match(lines, /the daemon of the user 1000 \(to 2 addresses of nodes without its mark\), DHCP/)
  assert.match(lines, /\n {4}3 packets names \(DNS\), 180 B\n {4}1 packet others, 40 B\n/)
  assert.match(lines, /\n {2}reboot {6}protected: .*\n {2}unblock {5}weft vpn killswitch off, as root$/)
})

test('who wants it, and what was put again, are said', () => {
  assert.match(killSwitchLines(ON, output).join('\n'), /\n {2}put on by {3}weft vpn killswitch on\n/)
  const both = { ...ON, orderedBy: ['person', 'profile'] as const }
  assert.match(killSwitchLines(both, output).join('\n'), /put on by {3}weft vpn killswitch on, the profile in use\n/)
  assert.doesNotMatch(killSwitchLines({ ...ON, orderedBy: [] }, output).join('\n'), /put on by/)
  const restored = { times: 2, at: Date.UTC(2026, 10, 23, 5, 17), differences: ['the whole table is gone'] }
  assert.match(killSwitchLine({ ...ON, restored }, output), /blocked; rules put again 2 times$/)
  const lines = killSwitchLines({ ...ON, restored }, output).join('\n')
  assert.match(lines, /\n {2}put again {3}2 times, last 2026-11-23 05:17 UTC: the whole table is gone\n/)
})

test('the LAN, a start that is not protected, and damage are said', () => {
  const reboot = { isProtected: false, cause: 'There is no systemd.', fix: 'Load it.' }
  assert.match(
    killSwitchLine({ ...ON, allowLan: true, reboot }, output),
    /to the LAN and through.*; gone with a reboot$/,
  )
  const damaged = killSwitchLines(
    { ...ON, state: 'damaged', reboot, differences: ['chain own is missing'] },
    output,
  ).join('\n')
  assert.match(damaged, /^kill switch damaged: packets may leave beside it\n/)
  assert.match(
    damaged,
    /\n {2}differs {5}chain own is missing\n {2}reboot {6}not protected: There is no systemd\.\n {4}Fix: Load it\.\n/,
  )
})

test('who wants the LAN, and another does not: it stays shut, and whose order that is', () => {
  const both = { ...ON, orderedBy: ['person', 'profile'] as const }
  assert.match(stricterLines(both, true).join(), /^The LAN stays shut: .*profile set NAME --kill-switch allow-lan\.$/)
  assert.deepEqual(stricterLines(both, false), [])
  assert.deepEqual(stricterLines({ ...both, allowLan: true }, true), [])
  assert.deepEqual(stricterLines({ ...both, state: 'off' }, true), [])
})

test('one that is off, or not seen, is one line', () => {
  assert.deepEqual(killSwitchLines({ ...ON, state: 'off' }, output), ['kill switch off'])
  assert.deepEqual(killSwitchLines({ ...ON, state: 'unknown' }, output), ['kill switch not seen by this user'])
})
