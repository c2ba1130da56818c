import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, VirtualClock, WeftError, seededRandom, silentLogger, systemRandom } from '@weft/core'
import { SigningKey, sealEnvelope } from '@weft/crypto'
import { memberOf, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { encodeChallengeAnswer } from '../../src/admission/challenge-answer.ts'
import { isChallengeOf } from '../../src/admission/challenge-nonce.ts'
import { DialHelp, type DialVerdict } from '../../src/admission/dial-help.ts'
import { DIALERS, dialersOf } from '../../src/admission/dialers-of.ts'
import type { Member } from '../../src/member.ts'
import { epochAt } from '../../src/network/epoch.ts'
import type { Rpc } from '../../src/rpc.ts'
import { BEGIN, addressOf, bodyOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const OTHERS = 6
const fixture = testNetwork(4, 1 + OTHERS)
const [validator] = fixture.keys as [SigningKey]
const APPLICANT = 4
const applicant = bodyOf(fixture, APPLICANT)
const APPLICATION = new Uint8Array(16).fill(9)
const applicantKey = fixture.keys[APPLICANT] as SigningKey
const helpers = Array.from({ length: OTHERS }, (_, at) => APPLICANT + 1 + at)

/** What a helper does when it is asked. */
type Helper = 'honest' | 'denies' | 'gone' | 'forges' | 'replays'

function memberAt(index: number, changes: Partial<Member> = {}): Member {
  const body = bodyOf(fixture, index)
  return { ...memberOf(body, encodeCertificateBody(body)), ...changes }
}

function helpOf(members: readonly Member[], rpc: Rpc, clock: Clock): DialHelp {
  return new DialHelp({
    network: fixture.network,
    validator,
    members: () => members,
    rpc,
    clock,
    random: seededRandom(7),
    logger: silentLogger,
  })
}

async function look(
  kinds: readonly Helper[],
  changes: (index: number) => Partial<Member> = () => ({}),
): Promise<{ verdict: DialVerdict; asked: number[] }> {
  const clock = new VirtualClock(BEGIN)
  const network = new MemoryNetwork(clock)
  const node = network.add(validator.id)
  const asked: number[] = []
  for (const [at, kind] of kinds.entries()) {
    const index = helpers[at] as number
    network.add((fixture.keys[index] as SigningKey).id).rpc.handle('admission.dial', async ({ nonce, address }) => {
      asked.push(index)
      assert.ok(isChallengeOf(nonce, APPLICATION), 'the applicant knows whose challenge it is')
      if (kind === 'gone') throw new WeftError({ code: 'E_DIAL_BUSY', cause: 'x', fix: 'y' })
      if (kind === 'denies') return {}
      const signer = kind === 'forges' ? (fixture.keys[index] as SigningKey) : applicantKey
      const answered = kind === 'replays' ? systemRandom.bytes(32) : nonce
      const answer = encodeChallengeAnswer({ nonce: answered, validator: validator.publicKey, address, time: BEGIN })
      return { answer: sealEnvelope('challenge', answer, signer) }
    })
  }
  const members = [
    memberAt(0),
    memberAt(1),
    memberAt(APPLICANT),
    ...kinds.map((_, at) => memberAt(helpers[at] as number, changes(helpers[at] as number))),
  ]
  const help = helpOf(members, node.rpc, clock)
  const verdict = await help.look(
    { body: applicant, nonce: APPLICATION },
    addressOf(APPLICANT),
    new AbortController().signal,
  )
  return { verdict, asked }
}

test('one member that found the applicant is enough, and only one is asked then', async () => {
  const { verdict, asked } = await look(['honest', 'honest', 'honest', 'honest'])
  assert.equal(verdict, 'found')
  assert.equal(asked.length, 1)
})

test('three are asked at most, and two that did not find it are needed', async () => {
  const { verdict, asked } = await look(['denies', 'denies', 'denies', 'denies', 'denies'])
  assert.deepEqual([verdict, asked.length], ['not-found', 3])
  assert.equal((await look(['denies', 'denies', 'honest'])).verdict, 'found')
  assert.equal((await look(['denies', 'gone', 'gone'])).verdict, 'unknown', 'the word of one')
  assert.equal((await look(['denies', 'denies', 'gone'])).verdict, 'not-found')
  assert.equal((await look(['gone', 'gone', 'gone'])).verdict, 'unknown')
})

test('an answer that the applicant did not give to this challenge is none', async () => {
  assert.equal((await look(['forges', 'replays', 'forges'])).verdict, 'unknown')
  assert.equal((await look(['forges', 'denies', 'denies'])).verdict, 'not-found')
})

test('validators, members of a family or a network of either side, and those without the protocol of the address are not asked', async () => {
  assert.deepEqual(await look([]), { verdict: 'unknown', asked: [] })
  const sides: Partial<Member>[] = [
    { roles: ['validator', 'storage'] },
    { family: applicant.family },
    { family: 'family-0' },
    { diversityAddress: '198.51.4.77' },
    { addresses: ['/ip6/::1/tcp/4780'] },
  ]
  const { verdict, asked } = await look(['denies', 'denies', 'denies', 'denies', 'denies', 'honest'], (index) => {
    return sides[index - APPLICANT - 1] ?? {}
  })
  assert.deepEqual([verdict, asked], ['found', [APPLICANT + OTHERS]])
})

test('of many members only those are asked that dial this host for this validator now, and the epoch is said', async () => {
  const clock = new VirtualClock(BEGIN + 3 * fixture.network.file.mapEpochMs)
  const network = new MemoryNetwork(clock)
  const node = network.add(validator.id)
  const crowd = Array.from({ length: 200 }, (_, at) => {
    const key = SigningKey.generate()
    const asked: bigint[] = []
    network.add(key.id).rpc.handle('admission.dial', async ({ epoch }) => {
      asked.push(epoch)
      return {}
    })
    const diversityAddress = `203.0.${at}.1`
    return { key, asked, member: { ...memberAt(APPLICANT + 1), id: key.id, family: `crowd-${at}`, diversityAddress } }
  })
  const members = crowd.map(({ member }) => member)
  const help = helpOf(members, node.rpc, clock)
  for (let round = 0; round < 30; round++)
    await help.look({ body: applicant, nonce: APPLICATION }, addressOf(APPLICANT), new AbortController().signal)
  const asked = crowd.filter((each) => each.asked.length > 0)
  const epoch = epochAt(fixture.network.file, clock.now())
  assert.ok(asked.length >= 3 && asked.length <= 40, `${asked.length}`)
  for (const { key, asked: epochs } of asked) {
    assert.ok(epochs.every((each) => each === BigInt(epoch)))
    const errand = { network: fixture.network.id, epoch, validator: validator.publicKey, host: '127.0.0.1' }
    assert.ok(dialersOf(errand, members.length, DIALERS)(key.publicKey))
  }
})
