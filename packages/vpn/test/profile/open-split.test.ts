import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openSplit } from '../../src/profile/open-split.ts'
import type { ProfileFields, ResolvedFields } from '../../src/profile/profile.ts'
import { resolveProfile } from '../../src/profile/resolve-profile.ts'

const NO_LISTS = {
  tunExclude: [],
  tunInclude: [],
  tunExcludeUsers: [],
  tunIncludeUsers: [],
  tunExcludeCgroups: [],
  tunIncludeCgroups: [],
}

function resolved(fields: ProfileFields): ResolvedFields {
  return resolveProfile(fields, { tun: 'on', dns: 'exit', ...NO_LISTS })
}

function isOpen(fields: ProfileFields): boolean {
  return openSplit(resolved(fields)) !== undefined
}

const octets = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `11.${at}.0.0/16`)

describe('a tunnel that much goes beside', () => {
  test('is one that leaves a /8 of public IPv4 or a /16 of public IPv6 outside, or more, in whatever pieces', () => {
    const open: readonly (readonly string[])[] = [
      ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'],
      ['0.0.0.0/0'],
      ['::/0'],
      ['11.0.0.0/8'],
      ['11.0.0.0/9', '11.128.0.0/9'],
      octets(256),
      ['2a00::/16'],
      ['2000::/17', '2001:8000::/17'],
    ]
    for (const tunExclude of open) assert.ok(isOpen({ tunExclude }), tunExclude.join(' '))
  })

  test('is none that leaves less outside, or what is not of the internet', () => {
    const shut: readonly (readonly string[])[] = [
      [],
      [
        '10.0.0.0/8',
        '172.16.0.0/12',
        '192.168.0.0/16',
        '169.254.0.0/16',
        '224.0.0.0/3',
        '127.0.0.0/8',
        '100.64.0.0/10',
      ],
      ['fc00::/7', 'fe80::/10', 'ff00::/8', '::1/128'],
      ['11.0.0.0/9'],
      octets(255),
      // Twice the same.
      ['11.0.0.0/9', '11.0.0.0/10', '11.64.0.0/10'],
      ['2a00::/17'],
      ['203.0.113.9', '2001:db8::1'],
    ]
    for (const tunExclude of shut) assert.ok(!isOpen({ tunExclude }), tunExclude.join(' '))
  })

  test('is one through which a list alone goes, unless that is all of the internet', () => {
    assert.ok(isOpen({ tunIncludeUsers: ['nobody'] }))
    assert.ok(isOpen({ tunIncludeCgroups: ['/system.slice/a.service'] }))
    assert.ok(isOpen({ tunInclude: ['203.0.113.0/24'] }))
    assert.ok(isOpen({ tunInclude: ['0.0.0.0/0'] }), 'IPv6 goes beside it')
    assert.ok(!isOpen({ tunInclude: ['0.0.0.0/0', '::/0'] }))
    assert.ok(!isOpen({ tunInclude: ['0.0.0.0/0', '::/0'], tunIncludeUsers: ['nobody'] }))
    assert.ok(isOpen({ tunInclude: ['0.0.0.0/0', '::/0'], tunExclude: ['12.0.0.0/6'] }))
  })

  test('is told by how much, and by which lists', () => {
    const split = openSplit(resolved({ tunExclude: ['0.0.0.0/1', '::/0'], tunIncludeUsers: [] }))
    assert.deepEqual(split?.fields, ['tunExclude'])
    assert.equal(split?.ipv6, 100)
    assert.ok(split.ipv4 > 40 && split.ipv4 < 60)
    assert.deepEqual(openSplit(resolved({ tunIncludeUsers: ['nobody'] })), {
      ipv4: 100,
      ipv6: 100,
      fields: ['tunIncludeUsers'],
    })
  })

  test('is not made less by more that is excluded, nor more by more that is included', () => {
    const network = fc.oneof(
      fc.tuple(fc.nat(0xffff_ffff), fc.integer({ min: 0, max: 32 })).map(([value, bits]) => {
        const base = bits === 0 ? 0 : (value & (0xffff_ffff << (32 - bits))) >>> 0
        return `${[24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join('.')}/${bits}`
      }),
      fc
        .tuple(fc.nat(0xffff), fc.integer({ min: 0, max: 16 }))
        .map(
          ([value, bits]) => `${(bits === 0 ? 0 : value & (0xffff << (16 - bits)) & 0xffff).toString(16)}::/${bits}`,
        ),
    )
    const some = fc.array(network, { maxLength: 20 })
    const shares = (fields: ProfileFields): readonly [number, number] => {
      const split = openSplit(resolved(fields))
      return [split?.ipv4 ?? 0, split?.ipv6 ?? 0]
    }
    fc.assert(
      fc.property(some, some, network, (tunExclude, tunInclude, more) => {
        const [four, six] = shares({ tunExclude, tunInclude })
        const [four1, six1] = shares({ tunExclude: [...tunExclude, more], tunInclude })
        assert.ok(four1 >= four && six1 >= six)
        if (tunInclude.length === 0) return
        const [four2, six2] = shares({ tunExclude, tunInclude: [...tunInclude, more] })
        assert.ok(four2 <= four && six2 <= six)
        assert.ok([four, six, four1, six1].every((share) => share >= 0 && share <= 100))
      }),
    )
  })
})
