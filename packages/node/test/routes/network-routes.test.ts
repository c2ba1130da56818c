import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { Call } from '../../src/http/route.ts'
import type { MembersAnswer } from '../../src/routes/answers.ts'
import type { ApiServices } from '../../src/routes/api-services.ts'
import { networkRoutes } from '../../src/routes/network-routes.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

const MEMBERS = 2_000
const ids = Array.from({ length: MEMBERS }, () => SigningKey.generate().id)

/** The route of all members of a large network, and how often anybody asked for votes. */
function openRoute() {
  const overlay = new FakeOverlay(ids[0]!)
  const [, one] = overlay.memberList
  overlay.memberList = ids.map((id) => ({ ...one!, id }))
  let asked = 0
  const certificateVotes = overlay.certificateVotes.bind(overlay)
  overlay.certificateVotes = async (...args) => (asked++, certificateVotes(...args))
  const services = { overlay, ids: { node: ids[0] }, clock: { now: () => 1 } } as unknown as ApiServices
  const route = networkRoutes(services).find(({ url }) => url === '/api/v1/members')!
  const run = (signal = new AbortController().signal) =>
    route.run({ signal, request: {} } as Call) as Promise<MembersAnswer>
  return { run, asked: () => asked }
}

test('the answer with all members is small, asks nobody, and is made while others have the thread', async () => {
  const { run, asked } = openRoute()
  let turns = 0
  const turn = (): void => void (ticking = setImmediate(() => (turns++, turn())))
  let ticking: NodeJS.Immediate | undefined
  turn()
  const answer = await run().finally(() => clearImmediate(ticking))
  assert.deepEqual(
    answer.members.map(({ id }) => id),
    ids,
  )
  assert.equal(asked(), 0, 'votes are those of one member')
  assert.ok(turns >= MEMBERS / 64 - 1, `${turns} turns of the event loop`)
  assert.ok(JSON.stringify(answer).length < MEMBERS * 1_000)
})

test('whoever goes away stops it', async () => {
  const gone = new AbortController()
  const answer = openRoute().run(gone.signal)
  gone.abort()
  await assert.rejects(answer, (error) => error instanceof WeftError && error.code === 'E_ABORTED')
})
