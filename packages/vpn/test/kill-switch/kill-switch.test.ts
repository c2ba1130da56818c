import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { KILL_SWITCH_ORDER as ORDER, type KillSwitchRig, killSwitchRig as rig } from './kill-switch-rig.ts'

// Its files and the order of its steps, with a kernel that a test watches. flock(1) is the system's.

const skip = process.platform === 'linux' ? false : 'it is of Linux'

describe('the files of a kill switch', { skip }, () => {
  test('the LAN is not opened where the unit of systemd cannot be written', async (t) => {
    const { killSwitch, kernel, units, files } = rig(t)
    await killSwitch.on(ORDER)
    fs.rmSync(join(units, 'sysinit.target.wants'), { recursive: true })
    // What is to be a directory is a file.
    fs.writeFileSync(join(units, 'sysinit.target.wants'), '')
    const before = contents(files)
    await assert.rejects(killSwitch.on({ ...ORDER, allowLan: true }))
    assert.equal(kernel.terms?.allowLan, false)
    assert.deepEqual(contents(files), before)
    const { state, allowLan } = await killSwitch.status()
    assert.deepEqual([state, allowLan], ['on', false])
  })

  test('nothing is on where it could not be put for the start of the machine as well', async (t) => {
    const { killSwitch, kernel, units, files } = rig(t)
    fs.writeFileSync(join(units, 'sysinit.target.wants'), '')
    await assert.rejects(killSwitch.on(ORDER))
    assert.equal(kernel.terms, undefined)
    assert.deepEqual(
      [Object.keys(contents(files)), fs.readdirSync(units)],
      [['killswitch.lock'], ['sysinit.target.wants']],
    )
    assert.equal((await killSwitch.status()).state, 'off')
    assert.equal((await killSwitch.on({ ...ORDER, boot: false })).state, 'on')
  })
})

function contents(directory: string): Record<string, string> {
  return Object.fromEntries(
    fs.readdirSync(directory).map((name) => [name, fs.readFileSync(join(directory, name), 'utf8')]),
  )
}

/** Takes it off, and holds the kernel's change until it is released; answers once that change has begun. */
async function offHeld({
  killSwitch,
  kernel,
}: KillSwitchRig): Promise<{ readonly off: Promise<unknown>; release(this: void): void }> {
  const gate = Promise.withResolvers<void>()
  const taking = Promise.withResolvers<void>()
  kernel.before = () => {
    kernel.before = () => {}
    taking.resolve()
    return gate.promise
  }
  const off = killSwitch.off()
  await taking.promise
  return { off, release: () => gate.resolve() }
}

describe('calls of a kill switch at once', { skip }, () => {
  test('who puts it on while another one takes it off has it on', async (t) => {
    const switched = rig(t)
    const { killSwitch, kernel, files } = switched
    await killSwitch.on(ORDER)
    const { off, release } = await offHeld(switched)
    // It waits for a lock that is gone, with all around it, once it is free.
    const on = killSwitch.on(ORDER)
    release()
    await off
    assert.equal((await on).state, 'on')
    assert.deepEqual([kernel.terms?.allowLan, killSwitch.isOf(ORDER.home)], [false, true])
    assert.ok(fs.existsSync(join(files, 'killswitch.nft')))
  })

  test('two who take it off both have it off, and so has a profile that takes back its order', async (t) => {
    for (const other of ['off', 'release'] as const) {
      const switched = rig(t)
      const { killSwitch, kernel, files } = switched
      await killSwitch.on({ ...ORDER, by: 'profile' })
      const { off, release } = await offHeld(switched)
      const second = other === 'off' ? killSwitch.off() : killSwitch.release(ORDER.home, ORDER.nodes)
      release()
      await Promise.all([off, second])
      assert.deepEqual([kernel.terms, fs.existsSync(files)], [undefined, false], other)
    }
  })
})

describe('a kill switch whose files are not as it left them', { skip }, () => {
  test('is damaged where they say nothing and no rule stands, and is not taken for off', async (t) => {
    const { killSwitch, kernel, files } = rig(t)
    await killSwitch.on(ORDER)
    for (const text of ['', '{', '{"since":1,"home":"/home","uid":0,"orders":{}}', '{"since":"x"}']) {
      fs.writeFileSync(join(files, 'killswitch.json'), text)
      kernel.terms = undefined
      const { state, fault } = await killSwitch.status()
      assert.deepEqual([state, fault?.code], ['damaged', 'E_KILL_SWITCH_DAMAGED'], text)
      assert.match(fault?.cause ?? '', /killswitch\.json/)
      const mended = await killSwitch.on(ORDER)
      assert.deepEqual([mended.state, mended.differences], ['on', []])
    }
  })

  test('is damaged where they say nothing and its rules stand: these would not be put again', async (t) => {
    const { killSwitch, files } = rig(t)
    await killSwitch.on(ORDER)
    for (const text of ['', '{', '{"since":"x"}']) {
      fs.writeFileSync(join(files, 'killswitch.json'), text)
      const { state, differences, reboot } = await killSwitch.status()
      assert.deepEqual([state, differences.length, reboot.isProtected], ['damaged', 1, false], text)
      for (const said of [differences[0] ?? '', reboot.cause]) assert.match(said, /killswitch\.json .* not how/)
      assert.equal((await killSwitch.on(ORDER)).state, 'on')
    }
    fs.rmSync(join(files, 'killswitch.json'))
    fs.mkdirSync(join(files, 'killswitch.json'))
    const { state, differences } = await killSwitch.status()
    assert.equal(state, 'damaged')
    assert.match(differences[0] ?? '', /killswitch\.json cannot be read: EISDIR/)
  })

  test('comes back as ordered where rules for the start of the machine are others', async (t) => {
    const { killSwitch, files } = rig(t)
    await killSwitch.on({ ...ORDER, allowLan: true })
    const open = fs.readFileSync(join(files, 'killswitch.nft'), 'utf8')
    await killSwitch.on(ORDER)
    fs.writeFileSync(join(files, 'killswitch.nft'), open)
    const { reboot } = await killSwitch.status()
    assert.equal(reboot.isProtected, false)
    // A daemon that starts puts that in order as well.
    await killSwitch.renew(ORDER.nodes)
    assert.equal((await killSwitch.status()).reboot.isProtected, true)
  })

  test('that were left by a call that was killed are gone when it is off', async (t) => {
    const { killSwitch, files } = rig(t)
    await killSwitch.on(ORDER)
    for (const left of ['killswitch.json.new', 'killswitch.nft.old']) fs.writeFileSync(join(files, left), '')
    await killSwitch.off()
    assert.equal(fs.existsSync(files), false)
  })
})
