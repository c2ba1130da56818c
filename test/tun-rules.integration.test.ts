import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { skipWithout } from './lib/needs.ts'

const TARGET = join(import.meta.dirname, 'lib', 'tun-rules-target.ts')

for (const [name, what] of [
  ['what an exit begins by itself is heard by nobody on its client, and answered by no way', 'called'],
  ['what comes for the interface by another one is heard by nobody either', 'beside'],
  ['routes that a rogue DHCP server hands out (option 121), more specific than the tunnel, draw nothing out', 'routed'],
  ["an included user's questions to a resolver of the machine are answered by the daemon", 'names'],
  ['questions to name servers of IPv6 are answered by the daemon, also while the exit has no IPv6', 'names6'],
  ['the same where something may go outside', 'names6split'],
  ['nothing gets out while rules take the place of those that were left', 'renewed'],
  ['nor where they cannot', 'failed'],
  [
    'what the system sends for no program of an included user goes through the tunnel as its connection did',
    'included',
  ],
  [
    'what it sends for no program of an excluded user goes outside: a server that saw both ways would know them for one',
    'excluded',
  ],
] as const)
  test(name, { skip: skipWithout('root', 'nat', 'tun') }, async () => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const words = ['-n', process.execPath, TARGET, what]
    const { stdout } = await promisify(execFile)('unshare', words, { env, timeout: 30_000 })
    assert.equal(stdout, 'kept\n')
  })
