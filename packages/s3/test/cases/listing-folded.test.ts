import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CaseWorld } from '../support/case-world.ts'
import { listBoth, pages } from '../support/lists.ts'

const world = new CaseWorld()

async function folds(keys: readonly string[], Delimiter: string, left: readonly string[], prefixes: readonly string[]) {
  const Bucket = await world.bucket(keys)
  for (const found of await listBoth(world, { Bucket, Delimiter })) {
    assert.deepEqual([found.keys, found.prefixes], [left, prefixes])
    assert.equal(found.answer.Delimiter, Delimiter)
  }
}

describe('cases: lists with delimiters and prefixes', () => {
  test('a delimiter folds what has it', async () => {
    await folds(['foo/bar', 'foo/bar/xyzzy', 'quux/thud', 'asdf'], '/', ['asdf'], ['foo/', 'quux/'])
  })

  test('other delimiters: letters, percent, space, dot, line feed', async () => {
    await folds(['bar', 'baz', 'cab', 'foo'], 'a', ['foo'], ['ba', 'ca'])
    await folds(['b%ar', 'b%az', 'c%ab', 'foo'], '%', ['foo'], ['b%', 'c%'])
    await folds(['b ar', 'b az', 'c ab', 'foo'], ' ', ['foo'], ['b ', 'c '])
    await folds(['b.ar', 'b.az', 'c.ab', 'foo'], '.', ['foo'], ['b.', 'c.'])
    const Bucket = await world.bucket(['bar', 'baz', 'cab', 'foo'])
    for (const found of await listBoth(world, { Bucket, Delimiter: '\n', EncodingType: 'url' }))
      assert.deepEqual([found.keys.length, found.prefixes, found.answer.Delimiter], [4, [], '%0A'])
  })

  test('a delimiter that no key has', async () => {
    await folds(['bar', 'baz', 'cab', 'foo'], '/', ['bar', 'baz', 'cab', 'foo'], [])
  })

  test('an empty delimiter is none', async () => {
    const all = ['bar', 'baz', 'cab', 'foo']
    const Bucket = await world.bucket(all)
    for (const more of [{ Delimiter: '' }, {}])
      for (const found of await listBoth(world, { Bucket, ...more }))
        assert.deepEqual([found.keys, found.prefixes, found.answer.Delimiter], [all, [], undefined])
  })

  test('a thousand keys in a common prefix hide none behind it', async () => {
    const behind = ['1999', '1999#', '1999+', '2000']
    const within = Array.from({ length: 999 }, (_, at) => `0/${at + 1_000}`)
    const Bucket = await world.bucket()
    for (const key of ['0/', ...within, ...behind])
      await world.server.buckets.put(Bucket, key, (async function* () {})())
    for (const found of await listBoth(world, { Bucket, Delimiter: '/' }))
      assert.deepEqual([found.keys, found.prefixes, found.truncated], [behind, ['0/'], false])
  })

  test('keys and prefixes that are encoded', async () => {
    const Bucket = await world.bucket(['foo+1/bar', 'foo/bar/xyzzy', 'quux ab/thud', 'asdf+b'])
    for (const found of await listBoth(world, { Bucket, Delimiter: '/', EncodingType: 'url' }))
      assert.deepEqual([found.keys, found.prefixes], [['asdf%2Bb'], ['foo%2B1/', 'foo/', 'quux%20ab/']])
  })

  test('pages of keys and common prefixes, within a prefix as well', async () => {
    for (const start of ['', '_']) {
      const keys = ['asdf', 'boo/bar', 'boo/baz/xyzzy', 'cquux/thud', 'cquux/bla'].map((key) => start + key)
      const Bucket = await world.bucket(keys)
      const [one, boo, cquux] = [`${start}asdf`, `${start}boo/`, `${start}cquux/`]
      const within = [[[`${boo}bar`], []] as const, [[], [`${boo}baz/`]] as const]
      for (const [Prefix, MaxKeys, wanted] of [
        [
          '',
          1,
          [
            [[one], []],
            [[], [boo]],
            [[], [cquux]],
          ],
        ],
        [
          '',
          2,
          [
            [[one], [boo]],
            [[], [cquux]],
          ],
        ],
        [boo, 1, within],
        [boo, 2, [[[`${boo}bar`], [`${boo}baz/`]]]],
      ] as const)
        for (const found of await pages(world, { Bucket, Delimiter: '/', Prefix, MaxKeys }))
          assert.deepEqual(
            found.map((page) => [page.keys, page.prefixes]),
            wanted,
          )
    }
  })

  test('a key that is the prefix itself is a key', async () => {
    const Bucket = await world.bucket(['asdf/'])
    for (const found of await listBoth(world, { Bucket, Delimiter: '/', Prefix: 'asdf/', MaxKeys: 1000 }))
      assert.deepEqual([found.keys, found.prefixes, found.truncated, found.next], [['asdf/'], [], false, undefined])
  })

  test('prefixes: with and without a delimiter in them, none, empty, of no key', async () => {
    const slashes = ['foo/bar', 'foo/baz', 'quux']
    const letters = ['bar', 'baz', 'foo']
    for (const [keys, Prefix, wanted] of [
      [slashes, 'foo/', ['foo/bar', 'foo/baz']],
      [letters, 'ba', ['bar', 'baz']],
      [slashes, '', slashes],
      [slashes, undefined, slashes],
      [slashes, 'd', []],
    ] as const) {
      const Bucket = await world.bucket(keys)
      for (const found of await listBoth(world, { Bucket, ...(Prefix === undefined ? {} : { Prefix }) })) {
        assert.deepEqual([found.keys, found.prefixes], [wanted, []])
        assert.equal(found.answer.Prefix, Prefix ?? '')
      }
    }
    const Bucket = await world.bucket(slashes)
    for (const found of await listBoth(world, { Bucket, Prefix: '\n', EncodingType: 'url' }))
      assert.deepEqual([found.keys, found.answer.Prefix], [[], '%0A'])
  })

  test('prefix and delimiter together, of which either may meet nothing', async () => {
    const slashes = ['foo/bar', 'foo/baz/xyzzy', 'quux/thud', 'asdf']
    const letters = ['bar', 'bazar', 'cab', 'foo']
    const dashes = ['b/a/c', 'b/a/g', 'b/a/r', 'g']
    for (const [keys, Prefix, Delimiter, left, prefixes] of [
      [slashes, 'foo/', '/', ['foo/bar'], ['foo/baz/']],
      [letters, 'ba', 'a', ['bar'], ['baza']],
      [['b/a/r', 'b/a/c', 'b/a/g', 'g'], 'd', '/', [], []],
      [dashes, 'b', 'z', ['b/a/c', 'b/a/g', 'b/a/r'], []],
      [dashes, 'y', 'z', [], []],
    ] as const) {
      const Bucket = await world.bucket(keys)
      for (const found of await listBoth(world, { Bucket, Prefix, Delimiter }))
        assert.deepEqual([found.keys, found.prefixes], [left, prefixes])
    }
  })
})
