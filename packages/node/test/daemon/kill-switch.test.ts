import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killSwitchOn, loggedKillSwitch } from '../../src/daemon/kill-switch.ts'
import type { Logger } from '@weft/core'

test('a home that cannot be there is told as one that is not', async () => {
  for (const home of [`/${'x'.repeat(5_000)}`, '/dev/null'])
    await assert.rejects(killSwitchOn(home, {}, { allowLan: false, boot: false }), { code: 'E_KILL_SWITCH_HOME' })
})

test('what a profile does with the kill switch is in the log, once it is done', async () => {
  const lines: string[] = []
  const keep = (message: string): void => void lines.push(message)
  const logger = { warn: keep, info: keep } as unknown as Logger
  const apply = loggedKillSwitch(async () => {}, logger)
  await apply({ on: true, allowLan: false })
  await apply({ on: false, allowLan: false })
  assert.equal(lines.length, 2)
  assert.match(lines.join('\n'), /has the kill switch on: nothing leaves.*\n.*does not want the kill switch any more/)
  const broken = loggedKillSwitch(() => Promise.reject(new Error('no rights')), logger)
  await assert.rejects(broken({ on: true, allowLan: false }), /no rights/)
  assert.equal(lines.length, 2)
})
