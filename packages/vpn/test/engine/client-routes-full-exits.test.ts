import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { SessionCode } from '@weft/onion'
import { makeMember } from '../route/make-member.ts'
import { answered, legsOf, network } from './routes-network.ts'

/** Two routes that share no node, to exits that both take streams. */
async function twoRoutes() {
  const rig = network(5, 2, { spares: 1 })
  rig.members.push(makeMember(3, ['entry']), makeMember(4, ['relay']))
  for (const exit of [0, 1]) {
    rig.serving.add(exit)
    rig.answering.add(exit)
  }
  rig.routes.keep()
  await rig.clock.advance(100)
  const [first = -1, second = -1] = rig.built
  assert.deepEqual(legsOf(rig.routes, rig.members), [
    [first, 'active'],
    [second, 'spare'],
  ])
  let taken: DidKey | undefined
  const open = async (): Promise<void> => {
    const opened = rig.routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, (_, paths) => {
      taken = paths.exit?.id
    })
    opened.catch(() => {})
    await answered(rig)
    return opened
  }
  return { ...rig, first, second, open, taken: () => taken }
}

test('a request that its exit refuses as it is at its limit goes to another, and the route stays as it is for others', async () => {
  const { routes, members, built, first, second, refusals, asked, open, taken } = await twoRoutes()
  refusals.set(first, SessionCode.limit)
  await open()
  assert.equal(taken(), members[2 + second]?.id)
  assert.deepEqual(asked, [first, second])
  assert.deepEqual(legsOf(routes, members), [
    [first, 'active'],
    [second, 'spare'],
  ])
  assert.equal(built.length, 2)
  routes.close()
})

test('when both exits are at their limit a request fails with that, and each was asked once', async () => {
  const { routes, built, first, second, refusals, asked, open } = await twoRoutes()
  refusals.set(first, SessionCode.limit).set(second, SessionCode.limit)
  await assert.rejects(open(), (error) => isWeftError(error, 'E_EXIT_FULL'))
  assert.deepEqual(asked, [first, second])
  assert.equal(built.length, 2)
  // Nor is a third looked for when the second has another reason.
  refusals.set(second, SessionCode.notOffered)
  await assert.rejects(open(), (error) => isWeftError(error, 'E_EXIT_FULL'))
  assert.deepEqual(asked, [first, second, first, second])
  routes.close()
})

test('what the other exit says of the target is the answer', async () => {
  const { routes, first, second, refusals, open } = await twoRoutes()
  refusals.set(first, SessionCode.limit).set(second, SessionCode.connectionRefused)
  await assert.rejects(open(), (error) => isWeftError(error, 'E_TARGET_REFUSED'))
  routes.close()
})

test('without a route to another exit a request that is refused for want of room fails at once', async () => {
  const rig = network(5, 2)
  const { clock, routes, built, serving, refusals } = rig
  serving.add(0).add(1)
  refusals.set(0, SessionCode.limit).set(1, SessionCode.limit)
  routes.keep()
  await clock.advance(20)
  const opened = assert.rejects(
    routes.open({ host: 'a.test', port: 80 }, new AbortController().signal, () => assert.fail()),
    (error) => isWeftError(error, 'E_EXIT_FULL'),
  )
  await answered(rig)
  await opened
  assert.equal(built.length, 1)
  routes.close()
})
