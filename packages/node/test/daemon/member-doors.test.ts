import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scope } from '@weft/core'
import type { Member, Network, Overlay, Role } from '@weft/overlay'
import { followDoors, memberDoors } from '../../src/daemon/member-doors.ts'

type Listed = Pick<Member, 'addresses' | 'packets' | 'roles'>
type Of = Pick<Network, 'file' | 'validators'>

const validator = { id: 'did:key:z1', addresses: ['/ip4/9.9.9.1/tcp/4780'], roles: ['validator'], family: 'v' }
const network = (simulated?: object): Of =>
  ({ file: { validators: [validator], simulated }, validators: [validator] }) as unknown as Of
const member = (roles: readonly Role[], addresses: readonly string[], packets: readonly string[] = []): Listed => ({
  roles,
  addresses,
  packets: { addresses: packets, linkKey: new Uint8Array(32), onionKey: new Uint8Array(32) },
})

test('a bridge leads to addresses of the overlay, and to the ports where entries take packets in TLS', () => {
  const doors = memberDoors(network(), [
    member(['storage'], ['/ip4/9.9.9.2/tcp/4780', '/ip4/9.9.9.2/tcp/4781/ws']),
    member(['entry'], ['/ip6/2620:fe::9/tcp/443'], ['/ip4/9.9.9.3/udp/443', '/ip6/2620:fe::9/udp/4782']),
    member(['relay'], ['/ip4/9.9.9.4/tcp/4780'], ['/ip4/9.9.9.4/udp/4782']),
    member(['storage'], ['/p2p/z6Mk/p2p-circuit']),
  ])
  assert.deepEqual([...doors].toSorted(), [
    '9.9.9.1:4780',
    '9.9.9.2:4780',
    '9.9.9.3:443',
    '9.9.9.4:4780',
    '[2620:fe::9]:443',
    '[2620:fe::9]:4782',
  ])
})

test('it leads to no other service, and nowhere that means its own machine or site', () => {
  const bad = [
    '127.0.0.1/tcp/4780',
    '10.0.0.1/tcp/4780',
    '169.254.169.254/tcp/80',
    '192.168.1.1/tcp/443',
    '9.9.9.2/tcp/22',
  ]
  const doors = memberDoors(network(), [
    member(
      ['entry'],
      bad.map((each) => `/ip4/${each}`),
      ['/ip4/127.0.0.1/udp/4782', '/ip4/10.0.0.1/udp/4782', '/ip4/9.9.9.3/udp/22'],
    ),
  ])
  assert.deepEqual([...doors], ['9.9.9.1:4780'])
})

test('where places are simulated it leads to loopback alone', () => {
  const doors = memberDoors(network({}), [member(['storage'], ['/ip4/127.0.0.1/tcp/4780', '/ip4/9.9.9.2/tcp/4780'])])
  assert.deepEqual([...doors], ['127.0.0.1:4780'])
})

test('validators of a term that began since are known by it, before a map has them', async () => {
  const later = { ...validator, id: 'did:key:z2', addresses: ['/ip4/9.9.9.5/tcp/4780'] }
  const listeners = { map: () => {}, term: () => {} }
  let [members, validators]: [readonly Listed[], readonly unknown[]] = [[], [validator]]
  const overlay = {
    membership: { members: () => members, onChange: (listener: () => void) => follow('map', listener) },
    term: () => ({ validators }),
    on: (_: string, listener: () => void) => follow('term', listener),
  } as unknown as Overlay
  const follow = (name: keyof typeof listeners, listener: () => void) => {
    listeners[name] = listener
    return () => void (listeners[name] = () => {})
  }
  const scope = new Scope({ name: 'doors' })
  const isMember = followDoors(network().file, overlay, scope)
  const [first, second, third] = ['9.9.9.1', '9.9.9.5', '9.9.9.6'].map((host) => ({ host, port: 4780 }))
  assert.deepEqual([isMember(first!), isMember(second!)], [true, false])
  validators = [later]
  listeners.term()
  // Who joins has the file alone, so that its validators stay.
  assert.deepEqual([isMember(first!), isMember(second!)], [true, true])
  members = [member(['storage'], ['/ip4/9.9.9.6/tcp/4780'])]
  listeners.map()
  assert.ok(isMember(third!))
  await scope.close()
})
