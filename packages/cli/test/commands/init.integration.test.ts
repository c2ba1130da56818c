import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

test('init writes settings that the daemon accepts, and never over others', async (context) => {
  const home = await serveApi(context, () => {})
  const init = (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    runWeft(['init', '--home', home, ...args])
  const none = await init('--network', '/nonexistent/network.json')
  assert.equal(none.code, 1)
  assert.match(
    none.stderr,
    /^E_NETWORK_FILE_MISSING: There is no network file at \/nonexistent\/network\.json.\nFix: .*--network/,
  )
  assert.ok(!existsSync(join(home, 'weft.toml')))
  const wrong = await init('--base-port', 'x')
  assert.equal(wrong.code, 2)
  assert.ok(!existsSync(join(home, 'weft.toml')))
  assert.equal((await init('--preset', 'regular', '--name', 'mine', '--base-port', '9000')).code, 0)
  assert.match(
    readFileSync(join(home, 'weft.toml'), 'utf8'),
    /\[node\]\n# .*\nname = "mine"\n# .*\npreset = "regular"\n\n\[ports\]\n# .*\nbase = 9000\n/,
  )
  const again = await init()
  assert.deepEqual([again.code, again.stderr.split(':')[0]], [1, 'E_ALREADY_INITIALISED'])
})

test('a node has an id before it has a network, and takes the file of one later', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'weft-id-'))
  context.after(() => rmSync(place, { recursive: true }))
  const run = async (...args: string[]): Promise<{ code: number | null; answer: Record<string, unknown> }> => {
    const { code, stdout } = await runWeft([...args, '--json'])
    return { code, answer: JSON.parse(stdout) as Record<string, unknown> }
  }
  const home = join(place, 'home')
  const none = await run('id', '--home', home)
  assert.deepEqual(
    [none.code, (none.answer['error'] as { fix: string }).fix.startsWith('Make one: weft init')],
    [3, true],
  )
  const { answer: made } = await run('init', '--home', home, '--roles', 'validator,storage', '--family', 'mine')
  const { answer: ids } = await run('id', '--home', home)
  assert.deepEqual([ids['node'], ids['person'], made['networkFile']], [made['node'], null, null])

  // Of the first home its key and its family go into the network; of the other its id.
  const other = join(place, 'other')
  const { answer: otherMade } = await run('init', '--home', other)
  const validator = `${String(otherMade['node'])}=/ip4/192.0.2.2/tcp/4780;theirs`
  const at = ['--address', '/ip4/192.0.2.1/tcp/4780']
  const { answer: created } = await run('network', 'create', 'club', ...at, '--validator', validator, '--home', home)
  assert.deepEqual([created['validator'], created['validators']], [made['node'], 2])
  const path = String(created['path'])
  const file = JSON.parse(readFileSync(path, 'utf8')) as { validators: { id: string; family: string }[] }
  assert.deepEqual(
    file.validators.map(({ id, family }) => [id, family]),
    [
      [made['node'], 'mine'],
      [otherMade['node'], 'theirs'],
    ],
  )
  const wrong = await run('init', '--home', other, '--network', path, '--network-id', 'wother')
  assert.deepEqual([wrong.code, (wrong.answer['error'] as { code: string }).code], [1, 'E_NETWORK_MISMATCH'])
  const taken = await run('init', '--home', other, '--network', path, '--network-id', String(created['id']))
  assert.deepEqual(taken.answer['network'], { id: created['id'], name: 'club' })
  assert.equal(taken.answer['node'], otherMade['node'])
  assert.equal((await run('init', '--home', other)).code, 1)

  const fresh = join(place, 'fresh')
  for (const nothing of ['/dev/null', join(home, 'weft.toml')]) {
    const refused = await run('init', '--home', fresh, '--network', nothing)
    assert.deepEqual([refused.code, (refused.answer['error'] as { code: string }).code], [1, 'E_NETWORK_FILE'])
  }
  assert.ok(!existsSync(fresh))
})
