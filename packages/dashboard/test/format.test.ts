import assert from 'node:assert/strict'
import { it } from 'node:test'
import { formatBytes, formatDuration, formatMs, formatRate, shortId } from '../src/parts/format.ts'
import { parseRoute } from '../src/parts/route.ts'

it('formats sizes in decimal units', () => {
  assert.equal(formatBytes(0), '0 B')
  assert.equal(formatBytes(999), '999 B')
  assert.equal(formatBytes(1_500_000), '1.5 MB')
  assert.equal(formatBytes(3e9), '3 GB')
})

it('formats durations by their two largest parts', () => {
  assert.equal(formatDuration(0), '0 s')
  assert.equal(formatDuration(61_000), '1 min 1 s')
  assert.equal(formatDuration(3_600_000), '1 h')
  assert.equal(formatDuration(93_784_000), '1 d 2 h')
})

it('formats rates and times, and a dash for what is not measured', () => {
  assert.equal(formatRate(1_500_000), '1.5 MB/s')
  assert.equal(formatMs(0.04), '0.0 ms')
  assert.equal(formatMs(undefined), '–')
})

it('shortens ids', () => {
  assert.equal(shortId('did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp'), '…X3mDooWp')
})

it('finds the page in the fragment, and the overview for anything else', () => {
  assert.deepEqual(parseRoute(''), { page: 'overview' })
  assert.deepEqual(parseRoute('#/network'), { page: 'network' })
  assert.deepEqual(parseRoute('#/route'), { page: 'route' })
  assert.deepEqual(parseRoute('#/files'), { page: 'files' })
  assert.deepEqual(parseRoute('#/files/abc'), { page: 'file', object: 'abc' })
  assert.deepEqual(parseRoute('#/elsewhere'), { page: 'overview' })
})
