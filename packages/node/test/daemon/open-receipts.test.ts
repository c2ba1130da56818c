import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Scope } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { parseNetworkFile } from '@weft/overlay'
import { openReceipts } from '../../src/daemon/open-receipts.ts'
import { testConfig } from '../support/test-daemon.ts'

const node = SigningKey.generate()
const networkFile = parseNetworkFile(
  JSON.stringify({
    schemaVersion: 1,
    name: 'test',
    createdAt: 1,
    validators: [{ id: node.id, addresses: ['/ip4/192.0.2.1/tcp/4780'], roles: ['validator'], family: 'v' }],
  }),
)

/** With these lines in weft.toml: what there is, and which calls are answered. */
async function opened(t: TestContext, toml: string) {
  const { config, home } = await testConfig(t, toml)
  const scope = new Scope({ name: 'test' })
  t.after(() => scope.close())
  const paths = { receipts: join(home, 'receipts'), receiptIssuer: join(home, 'receipt-issuer') }
  const receipts = await openReceipts({ config, paths, node, networkFile, scope })
  const methods: string[] = []
  const handle = (name: string): (() => void) => {
    methods.push(name)
    return () => {}
  }
  receipts.serve({ rpc: { handle, call: assert.fail } as never, membership: { isMember: () => true } as never })
  return { stores: receipts.stores, methods, hasIssuer: existsSync(join(paths.receiptIssuer, 'issuer.sqlite')) }
}

test('nothing is paid, kept or issued unless it is said', async (t) => {
  assert.deepEqual(await opened(t, ''), { stores: undefined, methods: [], hasIssuer: false })
})

test('an issuer answers others, and itself without a call', async (t) => {
  const lines = ['[receipts]', 'mode = "on"', `issuers = ["${node.id}"]`, 'issuer = true', 'redeem_seconds = 5']
  const { stores, methods, hasIssuer } = await opened(t, lines.join('\n'))
  assert.ok(hasIssuer)
  assert.deepEqual(methods, ['receipts.keys', 'receipts.issue', 'receipts.redeem'])
  assert.deepEqual([stores?.issuers, stores?.redeemMs, stores?.own?.id], [[node.id], 5_000, node.id])
})

test('pay without anybody whose tokens are used is refused, and so is what is no id', async (t) => {
  for (const more of ['', 'issuers = []', 'issuers = ["somebody"]'])
    await assert.rejects(opened(t, `[receipts]\nmode = "on"\n${more}`), { code: 'E_CONFIG_INVALID' })
})
