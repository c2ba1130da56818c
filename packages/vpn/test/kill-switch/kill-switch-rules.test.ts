import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import {
  blockedIn,
  differences,
  killSwitchRules,
  nodeRules,
  termsIn,
  withoutNodes,
} from '../../src/kill-switch/kill-switch-rules.ts'

const TERMS = { since: 1_795_410_521_645, allowLan: true, uid: 1_000 }
const NONE = { packets: 0, bytes: 0 }

describe('rules of the kill switch', () => {
  test('say what they stand on', () => {
    assert.deepEqual(termsIn(killSwitchRules(TERMS)), TERMS)
    assert.deepEqual(termsIn(killSwitchRules({ ...TERMS, allowLan: false })), { ...TERMS, allowLan: false })
    assert.equal(termsIn(killSwitchRules(TERMS).replace('weft 1', 'weft 2')), undefined)
    assert.equal(termsIn(''), undefined)
  })

  test('go on from what was counted', () => {
    assert.match(killSwitchRules(TERMS, { dns: { packets: 3, bytes: 9 } }), /counter dns \{ packets 3 bytes 9 \}/)
    assert.match(killSwitchRules(TERMS), /counter dns \{ packets 0 bytes 0 \}/)
  })

  test('are read back with what they counted, and as nothing where nft says no such thing', () => {
    const table = 'weft_killswitch'
    const counters = [
      { metainfo: {} },
      ...['dns', 'x'].map((name) => ({ counter: { name, table, packets: 3, bytes: 9 } })),
    ]
    const { dns, lan } = blockedIn(JSON.stringify({ nftables: counters }))
    assert.deepEqual([dns, lan], [{ packets: 3, bytes: 9 }, NONE])
    for (const text of ['', '{', 'null', '{}', '{"nftables":1}', '{"nftables":[null]}'])
      assert.deepEqual(Object.values(blockedIn(text)), Array(5).fill(NONE), text)
  })

  test('let the LAN out only where that is allowed, and names never before it', () => {
    const open = killSwitchRules(TERMS)
    assert.equal(open.match(/@lan4 accept/g)?.length, 3)
    for (const chain of ['leaving', 'passing']) {
      const rules = open.slice(open.indexOf(`chain ${chain}`))
      assert.ok(rules.indexOf('counter name dns drop') < rules.indexOf('@lan4 accept'))
    }
    assert.ok(!/@lan[46] accept/.test(killSwitchRules({ ...TERMS, allowLan: false })))
  })

  test('name nodes by family, each once', () => {
    const text = nodeRules([
      { host: '192.0.2.1', port: 1 },
      { host: '192.0.2.1', port: 1 },
      { host: '2001:db8::1', port: 2 },
    ])
    assert.match(text, /nodes4 \{ 192\.0\.2\.1 \. 1 \}\n/)
    assert.match(text, /nodes6 \{ 2001:db8::1 \. 2 \}\n/)
    assert.deepEqual(nodeRules([]).match(/flush set/g)?.length, 2)
  })
})

const LISTING = `table inet weft_killswitch {
	set nodes4 {
		type ipv4_addr . inet_service
		elements = { 10.0.0.2 . 93,
			     10.0.0.1 . 98 }
	}

	set lan4 {
		type ipv4_addr
		elements = { 10.0.0.0/8 }
	}

	chain own {
		type filter hook output priority mangle - 10; policy accept;
		ip daddr { 10.0.0.0/8, 192.168.0.0/16 } accept
		accept
	}
}
`

describe('a listing', () => {
  test('is compared without the addresses of nodes, which are counted', () => {
    const { rules, nodes } = withoutNodes(LISTING)
    assert.equal(nodes, 2)
    assert.ok(!rules.includes('10.0.0.2') && rules.includes('10.0.0.0/8'))
    assert.deepEqual(differences(rules, withoutNodes(LISTING.replace('. 98', '. 99')).rules), [])
  })

  test('that differs is told by chain and line', () => {
    const told = (found: string): string[] => differences(LISTING, found)
    assert.deepEqual(told(LISTING), [])
    assert.deepEqual(told(LISTING.replace('\t\taccept\n', '')), ['chain own: missing: accept'])
    assert.deepEqual(told(LISTING.replace('accept\n\t}', 'accept\n\t\tdrop\n\t}')), [
      'chain own: not of the switch: drop',
    ])
    assert.deepEqual(told(LISTING.replace('accept\n\t}', 'accept\n\t\taccept\n\t}')), [
      'chain own: in another order, or a line twice',
    ])
    assert.deepEqual(told(LISTING.replace('chain own', 'chain other')), [
      'chain own is missing',
      'chain other is not of the switch',
    ])
    assert.deepEqual(told(LISTING.replace('{\n', '{\n\tflags dormant\n')), [
      'table inet weft_killswitch: not of the switch: flags dormant',
    ])
  })

  test('that lacks or has any one line more is never taken for the same', () => {
    const random = seededRandom(57)
    const lines = LISTING.trimEnd().split('\n')
    const named = lines.flatMap((line, at) => (/^\t*[\w]/.test(line) ? [at] : []))
    for (let times = 0; times < 300; times++) {
      const at = named[randomInt(random, named.length)] as number
      const changed = [...lines]
      if (randomInt(random, 2) === 0) changed.splice(at, 1)
      else changed.splice(at + 1, 0, `\t\tip daddr 192.0.2.${randomInt(random, 256)} accept`)
      assert.notDeepEqual(differences(LISTING, changed.join('\n')), [], changed.join('\n'))
    }
  })
})
