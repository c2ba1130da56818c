import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock, isWeftError, parsePortRule } from '@weft/core'
import { ExitPolicy } from '../../src/exit/exit-policy.ts'

const clock = new VirtualClock()
const strict = new ExitPolicy({ clock, allow: [], deny: [], own: ['203.0.113.9'], interfaces: () => ['8.8.4.4'] })

describe('exit policy', () => {
  test('public addresses are dialled', () => {
    for (const address of ['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111'])
      assert.equal(strict.refusal(address, 443), undefined)
  })

  for (const address of [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '100.100.100.200',
    '169.254.169.254',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:1.1.1.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '203.0.113.9',
    '8.8.4.4',
    'example.org',
    '0x7f.1',
    '',
  ]) {
    test(`'${address}' is refused`, () => assert.notEqual(strict.refusal(address, 443), undefined))
  }

  test('mail between servers and impossible ports are refused', () => {
    for (const port of [25, 0, -1, 65_536]) assert.notEqual(strict.refusal('1.1.1.1', port), undefined)
  })

  test('a rule opens what it names and no more; a denial wins', () => {
    const policy = new ExitPolicy({ clock, allow: ['127.0.0.1/32:*'], deny: ['127.0.0.1/32:7780-7899'], own: [] })
    assert.equal(policy.refusal('127.0.0.1', 8080), undefined)
    assert.notEqual(policy.refusal('127.0.0.1', 7780), undefined)
    assert.notEqual(policy.refusal('127.0.0.1', 7899), undefined)
    assert.notEqual(policy.refusal('127.0.0.2', 8080), undefined)
    assert.notEqual(policy.refusal('::1', 8080), undefined)
  })

  test("the machine's own interfaces are refused by default", () => {
    const policy = new ExitPolicy({ clock, allow: [], deny: [], own: [] })
    assert.notEqual(policy.refusal('127.0.0.1', 80), undefined)
    assert.equal(policy.refusal('1.1.1.1', 80), undefined)
  })

  test("the machine's addresses are read every 10 s, and kept while they cannot be read", async () => {
    const time = new VirtualClock()
    let answer: readonly string[] | undefined = ['8.8.4.4']
    let asked = 0
    const interfaces = (): readonly string[] => {
      asked++
      if (answer === undefined) throw new Error('EMFILE')
      return answer
    }
    const policy = new ExitPolicy({ clock: time, allow: [], deny: [], own: [], interfaces })
    for (let dial = 0; dial < 5; dial++) assert.notEqual(policy.refusal('8.8.4.4', 80), undefined)
    assert.equal(policy.refusal('8.8.8.8', 80), undefined)
    assert.equal(asked, 1)
    answer = ['8.8.8.8']
    await time.advance(10_000)
    assert.equal(policy.refusal('8.8.4.4', 80), undefined)
    assert.notEqual(policy.refusal('8.8.8.8', 80), undefined)
    answer = undefined
    await time.advance(10_000)
    assert.notEqual(policy.refusal('8.8.8.8', 80), undefined)
    assert.equal(policy.refusal('8.8.4.4', 80), undefined)
    assert.equal(asked, 3)
  })

  test('nothing public is dialled while its own addresses never could be read', () => {
    let broken = true
    const interfaces = (): readonly string[] => {
      if (broken) throw new Error('EMFILE')
      return []
    }
    const policy = new ExitPolicy({ clock, allow: ['127.0.0.1/32:*'], deny: [], own: [], interfaces })
    assert.match(policy.refusal('1.1.1.1', 443) ?? '', /cannot be read/)
    assert.equal(policy.refusal('127.0.0.1', 443), undefined)
    broken = false
    assert.equal(policy.refusal('1.1.1.1', 443), undefined)
  })
})

describe('rules for exits', () => {
  test('forms', () => {
    assert.equal(parsePortRule('192.0.2.0/24:443').matches('192.0.2.200', 443), true)
    assert.equal(parsePortRule('192.0.2.0/24:443').matches('192.0.3.1', 443), false)
    assert.equal(parsePortRule('192.0.2.1:80-90').matches('192.0.2.1', 85), true)
    assert.equal(parsePortRule('[2001:db8::/32]:*').matches('2001:db8:1::5', 1), true)
    assert.equal(parsePortRule('0.0.0.0/0:*').matches('::ffff:1.2.3.4', 1), false)
  })

  for (const rule of [
    '',
    '1.2.3.4',
    '1.2.3.4:0',
    '1.2.3.4:70000',
    '1.2.3.4:9-2',
    '1.2.3.4/33:1',
    '2001:db8::1:80',
    '[1.2.3.4]:80',
    'a.b:1',
    '[::1/129]:1',
  ]) {
    test(`'${rule}' is refused with the form that is valid`, () => {
      assert.throws(
        () => parsePortRule(rule),
        (error) => isWeftError(error, 'E_EXIT_RULE') && error.fix.includes('192.0.2.0/24:443'),
      )
    })
  }
})
