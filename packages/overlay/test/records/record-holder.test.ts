import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Scope, VirtualClock, isWeftError } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { makeMutable } from '../../src/records/record.ts'
import { MemoryRecordTable } from '../../src/records/memory-record-table.ts'
import { RecordHolder } from '../../src/records/record-holder.ts'
import { SqliteRecordTable } from '../../src/records/sqlite-record-table.ts'

const KiB = 1024
const DAY = 86_400_000
const START = 1_000_000_000
const quota = { total: 64 * KiB, perMember: 48 * KiB, perStranger: 16 * KiB, strangers: 32 * KiB }
const salt = Uint8Array.of(1)

type Kind = 'sqlite' | 'memory'

async function fixture(kind: Kind) {
  const directory = mkdtempSync(join(tmpdir(), 'weft-record-holder-'))
  const memory = new MemoryRecordTable()
  const clock = new VirtualClock(START)
  const members = new Set<string>()
  let scope = new Scope({ name: 'test' })
  const open = async (): Promise<RecordHolder> => {
    const table = kind === 'sqlite' ? await SqliteRecordTable.open(directory, scope) : memory
    return new RecordHolder({ table, clock, quota, isMember: (id) => members.has(id) })
  }
  let holder = await open()
  return {
    clock,
    members,
    /** Puts a record of about `size` bytes as `caller`; resolves with the code of the refusal, or 'ok'. */
    async put(caller: SigningKey, size = KiB, options: { owner?: SigningKey; days?: number; sequence?: number } = {}) {
      const { owner = SigningKey.generate(), days = 30, sequence = 1 } = options
      const expiresAt = clock.now() + days * DAY
      const record = makeMutable({ owner, salt, sequence, expiresAt, value: new Uint8Array(size) })
      return holder.put(record, caller.id).then(
        () => 'ok',
        (error: unknown) => (isWeftError(error) ? error.code : assert.fail(String(error))),
      )
    },
    sweep: () => holder.sweep(),
    async restart() {
      await scope.close()
      scope = new Scope({ name: 'test' })
      holder = await open()
    },
    async [Symbol.asyncDispose]() {
      await scope.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

for (const kind of ['sqlite', 'memory'] as const)
  describe(`record holder, rows in ${kind}`, () => {
    it('gives callers outside of the map half of its room together, however many they are', async () => {
      await using at = await fixture(kind)
      const member = SigningKey.generate()
      at.members.add(member.id)
      let stored = 0
      for (let identity = 0; identity < 8; identity++) {
        const stranger = SigningKey.generate()
        while ((await at.put(stranger, 4 * KiB)) === 'ok') stored++
      }
      assert.equal(stored, 6)
      await at.restart()
      assert.equal(await at.put(SigningKey.generate(), 4 * KiB), 'E_QUOTA')
      for (let count = 0; count < 6; count++) assert.equal(await at.put(member, 4 * KiB), 'ok')
    })

    it('takes the place of an older version, and gives room back when a record is over', async () => {
      await using at = await fixture(kind)
      const [stranger, other, owner] = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()]
      assert.equal(await at.put(stranger, 12 * KiB, { owner }), 'ok')
      assert.equal(await at.put(other, 14 * KiB), 'ok')
      assert.equal(await at.put(SigningKey.generate(), 5 * KiB), 'E_QUOTA')
      assert.equal(await at.put(stranger, 15 * KiB, { owner, sequence: 2 }), 'ok')
      await at.clock.advance(31 * DAY)
      await at.sweep()
      for (const caller of [stranger, other]) assert.equal(await at.put(caller, 14 * KiB), 'ok')
    })

    it('keeps for strangers no longer than a month, for members a year', async () => {
      await using at = await fixture(kind)
      const [stranger, member] = [SigningKey.generate(), SigningKey.generate()]
      at.members.add(member.id)
      assert.equal(await at.put(stranger, 10, { days: 33 }), 'E_RECORD_LIFETIME')
      assert.equal(await at.put(stranger, 10, { days: 31 }), 'ok')
      assert.equal(await at.put(member, 10, { days: 399 }), 'ok')
      assert.equal(await at.put(member, 10, { days: 401 }), 'E_RECORD_LIFETIME')
    })

    it('leaves a record with the account under which it was put when its caller joins', async () => {
      await using at = await fixture(kind)
      const caller = SigningKey.generate()
      const owner = SigningKey.generate()
      assert.equal(await at.put(caller, 15 * KiB, { owner }), 'ok')
      at.members.add(caller.id)
      assert.equal(await at.put(caller, 15 * KiB, { owner, sequence: 2 }), 'ok')
      // The strangers' half is free again.
      for (let count = 0; count < 2; count++) assert.equal(await at.put(SigningKey.generate(), 15 * KiB), 'ok')
    })
  })
