import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { WeftError, isWeftError } from '@weft/core'
import { GroupCommitDatabase } from '../../src/records/group-commit.ts'

const SCHEMA = 'CREATE TABLE IF NOT EXISTS t (x INTEGER UNIQUE);'

describe('group commit', () => {
  it('keeps what it acknowledged, and gives an error of ours to its caller alone', async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-group-'))
    context.after(() => rmSync(directory, { recursive: true, force: true }))
    const path = join(directory, 'a.sqlite')
    const add = (database: GroupCommitDatabase, x: number): Promise<number> =>
      database.change(() => {
        if (x === 3) throw new WeftError({ code: 'E_TEST', cause: 'Three.', fix: 'None.' })
        database.db.prepare('INSERT INTO t VALUES (?)').run(x)
        return x * 10
      })
    {
      await using database = await GroupCommitDatabase.open(path, SCHEMA, 'weep')
      const results = await Promise.allSettled([1, 2, 3, 4].map((x) => add(database, x)))
      assert.deepEqual(
        results.map((result) => (result.status === 'fulfilled' ? result.value : isWeftError(result.reason, 'E_TEST'))),
        [10, 20, true, 40],
      )
    }
    await using database = await GroupCommitDatabase.open(path, SCHEMA, 'weep')
    assert.deepEqual(
      database.db
        .prepare('SELECT x FROM t ORDER BY x')
        .all()
        .map((row) => row['x']),
      [1, 2, 4],
    )
    // An error of SQLite takes its whole transaction with it, and the next one works.
    const failed = await Promise.allSettled([add(database, 5), add(database, 5)])
    assert.ok(failed.every((result) => result.status === 'rejected' && isWeftError(result.reason, 'E_DATABASE')))
    await add(database, 6)
    assert.deepEqual(
      database.db
        .prepare('SELECT x FROM t ORDER BY x')
        .all()
        .map((row) => row['x']),
      [1, 2, 4, 6],
    )
  })

  it('flushes the disk only for what was written', async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-group-'))
    context.after(() => rmSync(directory, { recursive: true, force: true }))
    const handle = await open(join(directory, 'any'), 'w')
    await handle.close()
    await using database = await GroupCommitDatabase.open(join(directory, 'a.sqlite'), SCHEMA, 'weep')
    const flush = context.mock.method(Object.getPrototypeOf(handle) as FileHandle, 'datasync')
    const remove = (x: number): Promise<unknown> =>
      database.change(() => database.prepare('DELETE FROM t WHERE x = ?').run(x).changes)
    assert.deepEqual(await Promise.all([remove(1), remove(2)]), [0, 0])
    assert.equal(flush.mock.callCount(), 0)
    await database.change(() => database.prepare('INSERT INTO t VALUES (1)').run())
    assert.equal(flush.mock.callCount(), 1)
    assert.deepEqual(await Promise.all([remove(2), remove(1)]), [0, 1])
    assert.equal(flush.mock.callCount(), 2)
  })

  it('refuses a file that is no database, naming it', async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-group-'))
    context.after(() => rmSync(directory, { recursive: true, force: true }))
    const path = join(directory, 'a.sqlite')
    writeFileSync(path, 'no database at all, but long enough to be read as one')
    await assert.rejects(
      GroupCommitDatabase.open(path, SCHEMA, 'weep'),
      (error: unknown) =>
        isWeftError(error, 'E_DATABASE') &&
        error.cause.includes(path) &&
        error.fix.endsWith('if the file is damaged, weep.'),
    )
  })
})
