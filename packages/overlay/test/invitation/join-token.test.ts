import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WeftError, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type Invitation, MAX_USES, INVITED_ROLES } from '../../src/invitation/invitation.ts'
import { isUsedBy, openInvitation, proveInvitation } from '../../src/invitation/invitation-proof.ts'
import { issueInvitation } from '../../src/invitation/issue-invitation.ts'
import { MAX_JOIN_TOKEN, formatJoinToken, parseJoinToken } from '../../src/invitation/join-token.ts'
import { BEGIN, addressOf, codeOf, testKeys, testNetwork } from '../fixtures.ts'

const { network, keys } = testNetwork(4, 1, { policy: 'invite' })
const [validator, , , , node] = keys as [SigningKey, SigningKey, SigningKey, SigningKey, SigningKey]
const limits: Pick<Invitation, 'roles' | 'uses' | 'expiresAt' | 'node'> = {
  roles: ['storage'],
  uses: 1,
  expiresAt: BEGIN + 1_000,
  node: undefined,
}
const bootstrap = keys.slice(0, 2).map(({ id }, index) => ({ id, addresses: [addressOf(index)] }))
const token = { network: network.id, bootstrap, invitation: issueInvitation(network, [validator], limits) }

test('a token holds the network, who to ask, and an invitation that lets one node in', () => {
  const text = formatJoinToken(token)
  assert.match(text, /^weft-join-[A-Za-z0-9_-]+$/)
  const read = parseJoinToken(text)
  assert.deepEqual(read, token)
  const { envelope, seed } = read.invitation ?? assert.fail('no invitation')
  const proof = proveInvitation(envelope, seed, node.publicKey)
  const invitation = openInvitation(network, envelope)
  assert.deepEqual(invitation, { network: network.id, key: new SigningKey(seed).publicKey, ...limits })
  assert.ok(isUsedBy(proof, invitation, node.publicKey))
  assert.ok(!isUsedBy(proof, invitation, validator.publicKey))
  assert.ok(!toHex(Buffer.concat([envelope.payload, envelope.signature, proof.use])).includes(toHex(seed)))
})

test('a token of an open network has no invitation', () => {
  const open = { ...token, invitation: undefined }
  assert.deepEqual(parseJoinToken(formatJoinToken(open)), open)
})

test('the largest token fits its limits', () => {
  const addresses = Array.from(
    { length: 8 },
    (_, index) => `/ip6/2001:1db8:aaaa:bbbb:cccc:dddd:eeee:${1000 + index}/tcp/65535/ws`,
  )
  const nodes = testKeys(4).map(({ id }) => ({ id, addresses }))
  const most = { roles: INVITED_ROLES, uses: MAX_USES, expiresAt: 8.64e15, node: node.publicKey }
  const largest = { ...token, bootstrap: nodes, invitation: issueInvitation(network, [validator], most) }
  const text = formatJoinToken(largest)
  assert.ok(text.length <= MAX_JOIN_TOKEN)
  assert.deepEqual(parseJoinToken(text), largest)
})

test('what was cut, changed or made up is refused in words that show nothing of it, or is another whole token', () => {
  const text = formatJoinToken(token)
  const letters = 'ABCxyz019-_. ='
  fc.assert(
    fc.property(
      fc.nat(),
      fc.constantFrom(...Array.from(letters)),
      fc.constantFrom('cut', 'change', 'add'),
      (where, letter, how) => {
        const at = 10 + (where % (text.length - 10))
        const other =
          how === 'cut' ? text.slice(0, at) : text.slice(0, at) + letter + text.slice(how === 'add' ? at : at + 1)
        try {
          assert.equal(formatJoinToken(parseJoinToken(other)), other)
        } catch (error) {
          if (!(error instanceof WeftError)) throw error
          assert.match(error.code, /^E_(JOIN_TOKEN|INVITE_MALFORMED)$/)
          if (other.length >= 30) assert.ok(!error.message.includes(other.slice(10, 30)))
        }
      },
    ),
    { numRuns: 150 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (junk) =>
      assert.throws(() => parseJoinToken(`weft-join-${junk}`), { code: /^E_(JOIN_TOKEN|INVITE_MALFORMED)$/ }),
    ),
  )
})

test('a secret that is not that of the invitation is found out when the token is read', async () => {
  const wrong = { ...token, invitation: { ...token.invitation, seed: new Uint8Array(32).fill(9) } }
  assert.equal(await codeOf(() => parseJoinToken(formatJoinToken(wrong))), 'E_JOIN_TOKEN')
})

test('only who may invite does: each validator, or who the file names, and nobody where the policy is another', async () => {
  const code = (made: ReturnType<typeof testNetwork>, at: number): Promise<string> =>
    codeOf(() => issueInvitation(made.network, [made.keys[at] as SigningKey], limits))
  const inviter = testKeys(1)[0] as SigningKey
  const named = testNetwork(2, 1, { policy: ['invite', 'stake'], inviters: [inviter.id] })
  assert.deepEqual(
    [await code(testNetwork(2, 1, { policy: 'invite' }), 1), await code(named, 1)],
    ['nothing', 'E_NOT_INVITER'],
  )
  assert.equal(await codeOf(() => issueInvitation(named.network, [node, inviter], limits)), 'nothing')
  assert.equal(await code(testNetwork(2, 1), 0), 'E_NOT_INVITER')
  assert.equal(await codeOf(() => issueInvitation(network, [validator], { ...limits, uses: 0 })), 'E_INVITE_MALFORMED')
})
