import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import type { Member } from '../../src/member.ts'
import { formatRelayedAddress } from '../../src/network/relayed-address.ts'
import { chooseRelays } from '../../src/reach/choose-relays.ts'

function member(family: string, changes: Partial<Member> = {}): Member {
  const { id } = SigningKey.generate()
  return { id, roles: ['relay'], addresses: ['/ip4/192.0.2.1/tcp/1'], family, ...changes } as Member
}

test('each family has its turn before any has a second; nodes do not all begin with the same', () => {
  const members = ['a', 'a', 'a', 'b', 'c'].map((family) => member(family))
  const firsts = new Set<string>()
  for (let index = 0; index < 40; index++) {
    const chosen = chooseRelays(SigningKey.generate().id, members)
    assert.equal(chosen.length, members.length)
    assert.equal(new Set(chosen.slice(0, 3).map(({ family }) => family)).size, 3)
    firsts.add(chosen[0]!.id)
  }
  assert.ok(firsts.size > 2)
})

test('nobody relays for itself, without the role, or from behind a relay', () => {
  const relay = member('a')
  const others = [
    member('b', { roles: ['storage'] }),
    member('c', { addresses: [formatRelayedAddress(relay.id)] }),
    member('d', { addresses: [formatRelayedAddress(relay.id), '/ip4/192.0.2.1/tcp/1'] }),
  ]
  assert.deepEqual(chooseRelays(relay.id, [relay, ...others]), [others[2]])
})
