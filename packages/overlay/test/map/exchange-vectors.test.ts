import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { equalBytes, fromHex, toHex } from '@weft/core'
import { MapChangesSchema, MapPageSchema, create, encodeMessage } from '@weft/wire'
import type { EntryList } from '../../src/map/entry-list.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import type { MapBody } from '../../src/map/map-body.ts'
import { changeEntries, mapRoot, verifyEntries } from '../../src/map/map-entries.ts'
import { MapHistory, changedKeys } from '../../src/map/map-history.ts'
import { unpackMessage } from '../../src/map/packed-message.ts'
import { answerSubtrees } from '../../src/map/subtree-question.ts'
import { NO_BEACON } from '../fixtures.ts'

interface Packed {
  readonly message: string
  readonly packed: string
}

interface Exchange {
  readonly root: string
  readonly page: Packed
  readonly changes: Packed & { readonly beforeEntries: readonly string[]; readonly from: string }
  readonly subtrees: readonly {
    readonly level: number
    readonly below: number
    readonly nodes: readonly number[]
    readonly hashes: string
    readonly starts: readonly string[]
  }[]
}

function vector<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as T
}

const map = vector<{ network: string; entries: string[] }>('map')
const exchange = vector<Exchange>('map-exchange')
const entries = map.entries.map(fromHex)

function bodyOf(list: readonly Uint8Array[]): MapBody {
  return { network: map.network, epoch: 8, root: mapRoot(list), count: list.length, signedAt: 0, ...NO_BEACON }
}

function listOf(list: readonly Uint8Array[], known?: EntryList): EntryList {
  return atOnce(verifyEntries(bodyOf(list), list, known))
}

test('map-exchange.json: a page', () => {
  const { entries: read } = unpackMessage(MapPageSchema, fromHex(exchange.page.packed))
  assert.deepEqual(read.map(toHex), map.entries)
  assert.equal(toHex(encodeMessage(MapPageSchema, create(MapPageSchema, { entries }))), exchange.page.message)
})

test('map-exchange.json: changes', () => {
  const { beforeEntries, from, message, packed } = exchange.changes
  const before = listOf(beforeEntries.map(fromHex))
  const after = listOf(entries, before)
  assert.equal(toHex(before.root), from)
  const changes = unpackMessage(MapChangesSchema, fromHex(packed))
  assert.equal(toHex(encodeMessage(MapChangesSchema, changes)), message)
  const history = new MapHistory()
  history.note(before.root, changedKeys(before, after), after.count)
  const told = history.changes(before.root, after)
  assert.ok(
    told !== undefined && told.entries.every((bytes, at) => equalBytes(bytes, changes.entries[at] as Uint8Array)),
  )
  assert.deepEqual(told.removed, changes.removed)
  assert.equal(toHex(atOnce(changeEntries(bodyOf(entries), before, changes)).root), exchange.root)
})

test('map-exchange.json: nodes of the tree', () => {
  const list = listOf(entries)
  for (const { hashes, starts, ...question } of exchange.subtrees) {
    const answer = answerSubtrees(list, question)
    assert.equal(toHex(answer.hashes), hashes)
    assert.deepEqual(answer.starts.map(toHex), starts)
  }
})
