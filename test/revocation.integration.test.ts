import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// Validators of a devnet eject a node, and take it back, by the command that their operators use.

const BASE_PORT = 25_800

interface Members {
  readonly members: readonly { readonly id: string; readonly short: string }[]
}
interface Status {
  readonly admission: { readonly state: string; readonly fault?: { readonly code: string; readonly cause: string } }
}
interface Revocations {
  readonly inForce: readonly { readonly id: string; readonly reason: string; readonly votes: number }[]
  readonly pending: readonly { readonly id: string; readonly reason: string; readonly voters: readonly string[] }[]
}
interface Vote {
  readonly votes: number
  readonly quorum: number
  readonly decided: boolean
}

describe('a node of a devnet is ejected', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-revoke-'))
  const net = join(directory, 'net')
  const of = (name: string): Record<string, string> => ({ WEFT_HOME: join(net, name) })
  let target: string
  const isMember = async (name: string): Promise<boolean> =>
    (await weftJson<Members>(['members'], of(name))).members.some(({ id }) => id === target)

  before(async () => {
    const up = await upDevnet<{ nodes: { name: string; id: string }[] }>({
      dir: net,
      basePort: BASE_PORT,
      seed: 'revoke',
    })
    target = up.nodes.find(({ name }) => name === 'storage4')?.id ?? ''
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('by nobody but validators, and for a reason', async () => {
    const attempts: readonly (readonly [string, readonly string[], RegExp])[] = [
      ['client', [target, '--reason', 'abuse'], /E_NOT_A_VALIDATOR/],
      ['storage1', [target, '--reason', 'abuse'], /E_NOT_A_VALIDATOR/],
      ['validator1', [target], /--reason is missing/],
      ['validator1', [target, '--reason', 'dislike'], /reason/],
      ['validator1', ['nobody0', '--reason', 'abuse'], /E_NODE_NOT_FOUND/],
      ['validator1', ['did:key:zNobody', '--reason', 'abuse'], /E_USAGE/],
      ['validator1', [target, '--reason', 'abuse', '--for', '900d'], /365/],
      ['validator1', [target, '--withdraw'], /E_REVOCATION_NONE/],
    ]
    for (const [name, args, words] of attempts) {
      const { code, stderr } = await weft(['network', 'revoke', ...args], of(name))
      assert.notEqual(code, 0, args.join(' '))
      assert.match(stderr, words)
    }
    const { inForce, pending } = await weftJson<Revocations>(['network', 'revocations'], of('validator1'))
    assert.deepEqual([inForce, pending], [[], []])
  })

  test('by a quorum of validators, at once and everywhere, and reads why', async () => {
    const { members } = await weftJson<Members>(['members'], of('validator1'))
    const short = members.find(({ id }) => id === target)?.short ?? ''
    const vote = (name: string): Promise<Vote> =>
      weftJson<Vote>(['network', 'revoke', short, '--reason', 'abuse', '--for', '1h'], of(name))
    assert.deepEqual((await vote('validator4')).votes, 1)
    const taken = await weft(['network', 'revoke', short, '--withdraw'], of('validator4'))
    assert.match(taken.stderr, /Took back the vote of this validator/)
    assert.deepEqual((await vote('validator1')).votes, 1)
    const second = await vote('validator2')
    assert.deepEqual([second.votes, second.quorum, second.decided], [2, 3, false])
    const { pending } = await weftJson<Revocations>(['network', 'revocations'], of('validator3'))
    assert.deepEqual(
      pending.map(({ id, reason, voters }) => [id, reason, voters.length]),
      [
        [target, 'withdrawn', 1],
        [target, 'abuse', 2],
      ],
    )
    assert.equal(await isMember('client2'), true)
    assert.equal((await vote('validator3')).decided, true)
    for (const name of ['validator4', 'storage1', 'exit1', 'client', 'client2'])
      await eventually(
        `${name} no longer counts it`,
        () => isMember(name),
        (is) => !is,
      )
    const { admission } = await eventually(
      'the ejected node knows',
      () => weftJson<Status>(['status'], of('storage4')),
      (status) => status.admission.state === 'refused',
    )
    assert.equal(admission.fault?.code, 'E_REVOKED')
    assert.match(admission.fault.cause, /harms the network/)
    const { inForce } = await weftJson<Revocations>(['network', 'revocations'], of('storage2'))
    assert.deepEqual(
      inForce.map(({ id, reason, votes }) => [id, reason, votes]),
      [[target, 'abuse', 3]],
    )
  })

  test('and stays out over a restart, until a quorum takes it back', async () => {
    await weftJson(['devnet', 'restart', 'storage4', '--dir', net])
    assert.equal((await weftJson<Status>(['status'], of('storage4'))).admission.state === 'certified', false)
    for (const name of ['validator1', 'validator2', 'validator4'])
      await weftJson<Vote>(['network', 'revoke', target, '--withdraw'], of(name))
    await eventually(
      'it is a member again',
      () => isMember('client'),
      (is) => is,
    )
    const { admission } = await eventually(
      'the node is certified again',
      () => weftJson<Status>(['status'], of('storage4')),
      (status) => status.admission.state === 'certified',
    )
    assert.equal(admission.fault, undefined)
    const { stdout } = await weft(['network', 'revocations'], of('validator3'))
    assert.match(stdout, /withdrawn.*taken back/)
  })
})
