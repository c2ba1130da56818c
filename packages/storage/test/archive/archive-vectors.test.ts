import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { concatBytes, fromHex, toHex, utf8 } from '@weft/core'
import { MEMBER_KEYWORD, decodeMember } from '../../src/archive/archive-member.ts'
import { tarEnd, tarHead, tarPadding } from '../../src/archive/tar-head.ts'
import { readTar } from '../../src/archive/tar-reader.ts'
import { once } from '../buckets/bucket-fixture.ts'

const { members, archive } = JSON.parse(readFileSync(new URL('../vectors/archive.json', import.meta.url), 'utf8')) as {
  members: { path: string; modifiedAt: number; member: Record<string, unknown>; body: string }[]
  archive: string
}

test('the archive of the vectors is what is written for its members', () => {
  const parts = members.flatMap(({ path, modifiedAt, member, body }) => {
    const bytes = utf8(body)
    const records = new Map([[MEMBER_KEYWORD, JSON.stringify(member)]])
    return [tarHead({ path, size: bytes.length, modifiedAt, records }), bytes, tarPadding(bytes.length)]
  })
  assert.equal(toHex(concatBytes([...parts, tarEnd()])), archive)
})

test('the archive of the vectors is read as its members', async () => {
  const read: unknown[] = []
  for await (const { path, records, body } of readTar(once(fromHex(archive)))) {
    const member = JSON.parse(JSON.stringify(decodeMember(records))) as unknown
    read.push({ path, member, body: Buffer.concat(await Array.fromAsync(body())).toString() })
  }
  assert.deepEqual(
    read,
    members.map(({ path, member, body }) => ({ path, member, body })),
  )
})
