import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberAddresses } from '../../src/route/member-addresses.ts'
import { makeMember } from './make-member.ts'

const [self, other, third] = [1, 2, 3].map((index) => makeMember(index, ['relay']).id)
const member = (id: typeof self, ...addresses: string[]) => ({ id: id ?? assert.fail(), addresses })

test('a member is called at its plain TCP addresses, two at most; relayed ones and WebSockets are left out', () => {
  const relayed = '/ip4/203.0.113.1/tcp/1/p2p/12D3KooWRelay/p2p-circuit'
  const [, found, none] = memberAddresses(
    [
      member(self, '/ip4/203.0.113.9/tcp/9'),
      member(
        other,
        relayed,
        '/ip4/203.0.113.1/tcp/4780/ws',
        '/ip4/203.0.113.1/tcp/4779',
        '/ip6/2001:db8::1/tcp/4779',
        '/ip4/203.0.113.2/tcp/4779',
      ),
      member(third, relayed, '/dns4/example.org/tcp/1'),
    ],
    self ?? assert.fail(),
  )
  assert.deepEqual(found?.addresses, [
    { host: '203.0.113.1', port: 4779 },
    { host: '2001:db8::1', port: 4779 },
  ])
  assert.deepEqual(none?.addresses, [])
})

test('what a member lists inside of a site or machine is called only by who is listed in such a place itself', () => {
  const inside = ['/ip4/127.0.0.1/tcp/6379', '/ip4/192.168.1.1/tcp/80', '/ip4/169.254.169.254/tcp/80']
  const called = (own: string): string[] =>
    memberAddresses([member(self, own), member(other, ...inside)], self ?? assert.fail())[1]?.addresses.map(
      ({ host }) => host,
    ) ?? []
  assert.deepEqual(called('/ip4/203.0.113.9/tcp/9'), [])
  assert.deepEqual(called('/ip4/10.0.0.1/tcp/9'), ['192.168.1.1'])
  assert.deepEqual(called('/ip4/127.0.0.1/tcp/9'), ['127.0.0.1', '169.254.169.254'])
  // Not in the map itself: nothing says where it stands.
  assert.deepEqual(memberAddresses([member(other, ...inside)], self ?? assert.fail())[0]?.addresses, [])
})
