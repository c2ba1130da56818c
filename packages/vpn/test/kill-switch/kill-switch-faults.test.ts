import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cannotSee, failed } from '../../src/kill-switch/kill-switch-faults.ts'
import { parseKept } from '../../src/kill-switch/kill-switch-orders.ts'

test('what is missing on the machine is told as that, and not as a lack of rights', () => {
  const missing = cannotSee('nft: spawn nft ENOENT', true)
  assert.equal(missing.code, 'E_KILL_SWITCH_UNAVAILABLE')
  assert.match(missing.cause, /nft.*its files say that it is on/i)
  assert.match(missing.fix, /Debian: nftables/)
  const refused = cannotSee('nft: Operation not permitted (you must be root) (exit code 1)', false)
  assert.equal(refused.code, 'E_KILL_SWITCH_RIGHTS')
  assert.match(refused.fix, /as root/)
  assert.doesNotMatch(refused.cause, /files say/)
})

test('a disk that cannot be written to is told as that to root, who has all rights', () => {
  const readOnly = Object.assign(new Error("EROFS: read-only file system, open '/etc/systemd/system/x'"), {
    code: 'EROFS',
  })
  assert.equal(failed(readOnly, 'put on').code, 'E_KILL_SWITCH_RIGHTS')
  assert.match(failed(readOnly, 'put on').fix, /read-only.*--no-boot/)
  assert.match(failed(new Error('EACCES: permission denied'), 'put on').fix, /sudo/)
})

test('a file with numbers that no rule can have is not read', () => {
  const kept = {
    schemaVersion: 1,
    since: 1,
    home: '/home',
    uid: 0,
    orders: { person: { allowLan: false, boot: true } },
  }
  assert.equal(parseKept(JSON.stringify(kept))?.uid, 0)
  for (const wrong of [{ uid: -1 }, { uid: 1.5 }, { uid: 2 ** 32 }, { since: -1 }, { since: 0.5 }, { since: 1e300 }])
    assert.equal(parseKept(JSON.stringify({ ...kept, ...wrong })), undefined, JSON.stringify(wrong))
})
