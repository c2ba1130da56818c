import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { KILL_SWITCH_ORDER as ORDER, killSwitchRig as rig } from './kill-switch-rig.ts'

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
