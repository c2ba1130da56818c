import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import { judgeVisits } from '../tour/judge-visits.ts'
import { hopLines } from '../tour/route-step.ts'
import { TourServer } from '../tour/tour-server.ts'

const NODES = [
  { name: 'exit1', pid: 100 },
  { name: 'storage1', pid: 200 },
  { name: 'storage2', pid: undefined },
]
const EXIT = { name: 'exit1', pid: 100 }
const visit = (pid: number | undefined, port = 40_000) => ({
  address: '127.0.0.1',
  port,
  owner: pid === undefined ? undefined : { pid, name: 'node daemon.js' },
})

test('the server that saw the exit only is told of with address, port and process', () => {
  assert.equal(
    judgeVisits([visit(100)], EXIT, NODES),
    'the server was asked from 127.0.0.1:40000, which is exit1, the exit (process 100), and saw nobody else',
  )
  assert.match(judgeVisits([visit(100), visit(100, 40_001)], EXIT, NODES), /127\.0\.0\.1:40000, 127\.0\.0\.1:40001/)
  assert.match(judgeVisits([visit(undefined)], EXIT, NODES), /does not show whose port/)
})

test('whoever else asked is named, and nobody is no success', () => {
  const causeOf = (visits: Parameters<typeof judgeVisits>[0]): string => {
    try {
      return judgeVisits(visits, EXIT, NODES)
    } catch (error) {
      assert.ok(isWeftError(error, 'E_TOUR_SEEN'))
      return error.cause
    }
  }
  assert.match(
    causeOf([visit(100), visit(200)]),
    /asked by storage1 \(process 200\), not by the exit exit1 \(process 100\)/,
  )
  assert.match(causeOf([visit(300)]), /asked by node daemon\.js \(process 300\)/)
  assert.match(causeOf([]), /asked by nobody/)
})

test('hops are told by role, name, short id and country, made-up ones as such', () => {
  const hop = { latencyMs: 1, health: 'green', reason: '', region: 'eu', country: 'DE' } as const
  const [entry, exit] = hopLines(
    [
      { ...hop, role: 'entry', node: 'did:key:z6Mkaaaaaaaa', simulated: true },
      { ...hop, role: 'exit', node: 'did:key:z6Mkbbbbbbbb', simulated: false },
    ],
    { nodes: [{ name: 'storage1', id: 'did:key:z6Mkaaaaaaaa' }] },
  )
  assert.equal(entry, 'entry  storage1    …aaaaaaaa  DE (simulated)')
  assert.equal(exit, 'exit               …bbbbbbbb  DE')
})

test('the server takes no port that is reserved', async () => {
  const refused: number[] = []
  await using server = await TourServer.start((port) => refused.length < 3 && refused.push(port) > 0)
  assert.equal(refused.length, 3)
  assert.ok(!refused.includes(Number(new URL(server.url).port)))
  await assert.rejects(
    TourServer.start(() => true),
    (error) => isWeftError(error, 'E_TOUR_PORT'),
  )
})

test('each server has a page of its own', async () => {
  await using one = await TourServer.start(() => false)
  await using other = await TourServer.start(() => false)
  assert.notEqual(one.page, other.page)
  assert.equal(await (await fetch(one.url)).text(), one.page)
})
