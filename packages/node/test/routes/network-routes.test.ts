import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { Call } from '../../src/http/route.ts'
import type { MembersAnswer, ResourcesAnswer } from '../../src/routes/answers.ts'
import type { ApiServices } from '../../src/routes/api-services.ts'
import { networkRoutes } from '../../src/routes/network-routes.ts'
import { resourceRoutes } from '../../src/routes/resource-routes.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

const MEMBERS = 2_000
const ids = Array.from({ length: MEMBERS }, () => SigningKey.generate().id)

const NEVER = new AbortController().signal

/** Runs something beside a loop of turns; how many turns went by. */
async function turnsOf<T>(task: () => Promise<T>): Promise<{ readonly answer: T; readonly turns: number }> {
  let turns = 0
  let ticking: NodeJS.Immediate | undefined
  const turn = (): void => void (ticking = setImmediate(() => (turns++, turn())))
  turn()
  try {
    return { answer: await task(), turns }
  } finally {
    clearImmediate(ticking)
  }
}

/** The routes of all members of a large network, and how often anybody asked for votes. */
function openRoute() {
  const overlay = new FakeOverlay(ids[0]!)
  const [, one] = overlay.memberList
  overlay.memberList = ids.map((id) => ({ ...one!, id }))
  let asked = 0
  const certificateVotes = overlay.certificateVotes.bind(overlay)
  overlay.certificateVotes = async (...args) => (asked++, certificateVotes(...args))
  const services = { overlay, network: {}, ids: { node: ids[0] }, clock: { now: () => 1 } } as unknown as ApiServices
  const route = networkRoutes(services).find(({ url }) => url === '/api/v1/members')!
  const [machines] = resourceRoutes(services)
  const run = (signal = NEVER) => route.run({ signal, request: {} } as Call) as Promise<MembersAnswer>
  const resources = (signal = NEVER) => machines!.run({ signal, request: {} } as Call) as Promise<ResourcesAnswer>
  return { run, resources, overlay, asked: () => asked }
}

test('the answer with all members is small, asks nobody, and is made while others have the thread', async () => {
  const { run, asked } = openRoute()
  const { answer, turns } = await turnsOf(run)
  assert.deepEqual(
    answer.members.map(({ id }) => id),
    ids,
  )
  assert.equal(asked(), 0, 'votes are those of one member')
  assert.ok(turns >= MEMBERS / 64 - 1, `${turns} turns of the event loop`)
  assert.ok(JSON.stringify(answer).length < MEMBERS * 1_000)
})

test('what all members say of their machines is told while others have the thread as well', async () => {
  const { resources, overlay } = openRoute()
  const { resources: one } = new FakeOverlay(ids[0]!).memberList[0]!
  overlay.memberList = overlay.memberList.map((member, at) => (at % 2 === 0 ? { ...member, resources: one! } : member))
  const { answer, turns } = await turnsOf(resources)
  assert.deepEqual([answer.members.length, answer.totals.members], [MEMBERS / 2, MEMBERS])
  assert.ok(turns >= MEMBERS / 64 - 1, `${turns} turns of the event loop`)
  const gone = new AbortController()
  const stopped = resources(gone.signal)
  gone.abort()
  await assert.rejects(stopped, (error) => error instanceof WeftError && error.code === 'E_ABORTED')
})

test('whoever goes away stops it', async () => {
  const gone = new AbortController()
  const answer = openRoute().run(gone.signal)
  gone.abort()
  await assert.rejects(answer, (error) => error instanceof WeftError && error.code === 'E_ABORTED')
})
