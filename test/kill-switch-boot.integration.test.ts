import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { KillSwitchOrder, KillSwitchStatus } from '../packages/vpn/src/kill-switch/kill-switch.ts'
import { Namespaces } from './lib/namespaces.ts'
import { skipWithout } from './lib/needs.ts'

// What a start of the machine does to the kill switch, in a namespace that stands for the machine.

const CALL = join(import.meta.dirname, 'lib', 'kill-switch-call.program.ts')
const ANALYZE = '/usr/bin/systemd-analyze'
const UNIT = 'weft-killswitch.service'

describe('the kill switch and the start of the machine', { skip: skipWithout('root', 'nat') }, () => {
  let namespaces: Namespaces<'c'>
  let directory: string
  let rules: string
  let unit: string
  let link: string

  before(() => {
    namespaces = new Namespaces('wb', ['c'])
  })
  after(() => namespaces[Symbol.dispose]())
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weft-boot-'))
    chmodSync(directory, 0o755)
    for (const name of ['units', 'systemd']) mkdirSync(join(directory, name), { mode: 0o755 })
    rules = join(directory, 'weft', 'killswitch.nft')
    unit = join(directory, 'units', UNIT)
    link = join(directory, 'units', 'sysinit.target.wants', UNIT)
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test('the unit loads the rules that were kept, nodes included, before the network is set up', async () => {
    const nodes = [{ host: '198.51.100.2', port: 4_001 }]
    const { reboot, since } = await call('on', { allowLan: true, nodes })
    assert.deepEqual(reboot, { isProtected: true, cause: '', fix: '' })
    for (const file of [rules, join(directory, 'weft', 'killswitch.json')])
      assert.deepEqual([statSync(file).uid, statSync(file).mode & 0o7777], [0, 0o600], file)
    const text = readFileSync(unit, 'utf8')
    assert.match(text, /\nDefaultDependencies=no\nWants=network-pre\.target\nBefore=network-pre\.target /)
    assert.equal(readFileSync(link, 'utf8'), text)
    namespaces.nft('c', 'flush ruleset')
    assert.equal((await call('status')).state, 'damaged')
    const [program = '', ...words] = /^ExecStart=(.*)$/m.exec(text)?.[1]?.split(' ') ?? []
    await namespaces.exec('c', [program, ...words])
    const { reboot: _, ...after } = await call('status')
    assert.deepEqual([after.state, after.allowLan, after.nodes, after.since], ['on', true, 1, since])
  })

  test(
    'systemd finds nothing wrong with the unit',
    { skip: !existsSync(ANALYZE) && 'systemd is not installed' },
    async () => {
      await call('on')
      const said = execFileSync(ANALYZE, ['verify', unit], { encoding: 'utf8', stdio: 'pipe' })
      assert.equal(said, '')
    },
  )

  test('what would keep it from coming back is told, with what mends it', async () => {
    for (const [change, cause] of [
      [() => unlinkSync(link), /weft-killswitch\.service is disabled/],
      [() => unlinkSync(unit), /weft-killswitch\.service is missing/],
      [() => (unlinkSync(unit), symlinkSync('/dev/null', unit)), /is masked/],
      [() => appendFileSync(unit, 'ExecStartPost=/bin/true\n'), /weft-killswitch\.service was changed/],
      [() => unlinkSync(rules), /killswitch\.nft is missing/],
      [() => execFileSync('sed', ['-i', 's/policy drop/policy accept/', rules]), /killswitch\.nft was changed/],
      [() => chmodSync(rules, 0o660), /killswitch\.nft can be written by others/],
      [() => chownSync(rules, 65_534, 0), /killswitch\.nft belongs to the user 65534/],
      [() => rmSync(join(directory, 'systemd'), { recursive: true }), /not run by systemd/],
    ] as const) {
      mkdirSync(join(directory, 'systemd'), { recursive: true })
      if (existsSync(unit)) unlinkSync(unit)
      await call('on')
      change()
      const { state, reboot } = await call('status')
      assert.deepEqual([state, reboot.isProtected], ['on', false], cause.source)
      assert.match(reboot.cause, cause)
      assert.match(reboot.fix, /weft vpn killswitch on|nft -f/)
    }
  })

  test('places that others can change are refused before anything is done', async () => {
    await call('off')
    mkdirSync(join(directory, 'weft'))
    for (const [change, undo] of [
      [() => chmodSync(directory, 0o775), () => chmodSync(directory, 0o755)],
      [() => chmodSync(join(directory, 'weft'), 0o777), () => chmodSync(join(directory, 'weft'), 0o755)],
      [() => chownSync(directory, 65_534, 0), () => chownSync(directory, 0, 0)],
      [() => chownSync(join(directory, 'weft'), 65_534, 0), () => chownSync(join(directory, 'weft'), 0, 0)],
    ] as const) {
      change()
      await assert.rejects(call('on'), /E_KILL_SWITCH_PLACE|could change the rules/)
      undo()
      assert.equal((await call('status')).state, 'off')
    }
  })

  test('put on without the start of the machine, nothing is kept for it', async () => {
    await call('on')
    const { state, reboot } = await call('on', { boot: false })
    assert.deepEqual([state, reboot.isProtected], ['on', false])
    assert.match(reboot.cause, /--no-boot/)
    assert.deepEqual([existsSync(unit), existsSync(link), existsSync(rules)], [false, false, false])
  })

  test('taken off, nothing of it is left', async () => {
    await call('on')
    await call('off')
    assert.deepEqual([existsSync(unit), existsSync(link), existsSync(join(directory, 'weft'))], [false, false, false])
    assert.equal((await namespaces.exec('c', ['nft', 'list', 'ruleset'])).trim(), '')
  })

  async function call(action: string, order: Partial<KillSwitchOrder> = {}): Promise<KillSwitchStatus> {
    const all = { allowLan: false, home: '/nowhere', uid: 0, nodes: [], ...order }
    const words = [process.execPath, CALL, directory, action, JSON.stringify(all)]
    return JSON.parse(await namespaces.exec('c', words)) as KillSwitchStatus
  }
})
