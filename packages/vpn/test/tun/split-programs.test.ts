import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import { findPrograms } from '../../src/tun/split-programs.ts'
import { placesOf } from '../engine/no-tun.ts'

const EXCLUDE = placesOf('exclude')

test('users are found by name and by number, each once', async () => {
  const { uids } = await findPrograms({ users: ['root', '0', '4711'], cgroups: [] }, EXCLUDE, '')
  assert.deepEqual(uids, [0, 4711])
})

test('a user that is not there: the error names the setting', async () => {
  const names = { users: ['no-such-user-here'], cgroups: [] }
  await assert.rejects(findPrograms(names, EXCLUDE, ''), {
    code: 'E_TUN_SPLIT',
    message: /vpn\.tun_exclude_users names no-such-user-here, a user/,
  })
  for (const user of ['-n', '4294967295', '9999999999'])
    await assert.rejects(findPrograms({ users: [user], cgroups: [] }, EXCLUDE, ''), { code: 'E_TUN_SPLIT' })
})

test('cgroups: how deep they are, and where nft finds them', async () => {
  const root = mkdtempSync(join(tmpdir(), 'weft-cgroups-'))
  const directory = join(root, 'system.slice', 'one.service')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'cgroup.procs'), '')
  const mounts = `30 20 0:30 / /sys rw - sysfs sysfs rw\n36 30 0:40 / ${root} rw,relatime shared:3 - cgroup2 cgroup2 rw\n`
  try {
    const find = (path: string) => findPrograms({ users: [], cgroups: [path] }, EXCLUDE, mounts)
    assert.deepEqual((await find('/system.slice/one.service')).cgroups, [
      { path: relative('/sys/fs/cgroup', directory), level: 2 },
    ])
    await assert.rejects(find('/system.slice/two.service'), {
      code: 'E_TUN_SPLIT',
      message: /vpn\.tun_exclude_cgroups names \/system\.slice\/two\.service, a cgroup that is not there/,
    })
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('without cgroup v2 the error says so; without cgroups it is not asked for', async () => {
  const mounts = '36 30 0:40 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n'
  await assert.rejects(findPrograms({ users: [], cgroups: ['/a'] }, placesOf('include'), mounts), {
    code: 'E_TUN_SPLIT',
    message: /vpn\.tun_include_cgroups .* cgroup v2 is not mounted/,
  })
  assert.deepEqual(await findPrograms({ users: [], cgroups: [] }, EXCLUDE, ''), { uids: [], cgroups: [] })
})

test('cgroup v2 is not to be mounted over cgroup v1', async () => {
  const fixOf = async (mounts: string): Promise<string> => {
    try {
      await findPrograms({ users: [], cgroups: ['/a'] }, EXCLUDE, mounts)
    } catch (error) {
      assert.ok(isWeftError(error, 'E_TUN_SPLIT'))
      return error.fix
    }
    return assert.fail('it found some')
  }
  assert.match(await fixOf('30 20 0:30 / /sys rw - sysfs sysfs rw\n'), /\(mount -t cgroup2 none \/sys\/fs\/cgroup\)/)
  for (const mounts of [
    '35 30 0:39 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n',
    '30 20 0:30 / /sys rw - sysfs sysfs rw\n36 30 0:40 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n',
  ])
    assert.match(await fixOf(mounts), /\(mkdir \/run\/cgroup2 && mount -t cgroup2 none \/run\/cgroup2\)/)
})
