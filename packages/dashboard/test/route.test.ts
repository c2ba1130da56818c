import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseRoute } from '../src/parts/route.ts'

it('finds the page in any fragment', () => {
  for (const [hash, route] of [
    ['', { page: 'overview' }],
    ['#/', { page: 'overview' }],
    ['#/network', { page: 'network' }],
    ['#/route', { page: 'route' }],
    ['#/files', { page: 'files' }],
    ['#/files/', { page: 'files' }],
    ['#/files/weft%3Aa', { page: 'file', object: 'weft:a' }],
    ['#/files/%', { page: 'files' }],
    ['#/files/%ff', { page: 'files' }],
    ['#elsewhere', { page: 'overview' }],
  ] as const)
    assert.deepEqual(parseRoute(hash), route, hash)
})
