import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressReach } from '../src/index.ts'

const CASES = {
  global: [
    '9.9.9.9',
    '172.32.0.1',
    '100.128.0.1',
    '198.20.0.1',
    '2600::1',
    '2003::1',
    '2a00:1450::1',
    '::ffff:1:0:1',
    '192.0.2.1',
    '168.63.129.15',
    '168.63.129.17',
    '5f01::1',
    '100:0:0:2::1',
  ],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    'fd00::1',
    'fc00::1',
    '100.100.100.200',
    'fd00:ec2::254',
    'fd20:ce::254',
  ],
  special: [
    '0.0.0.0',
    '127.0.0.1',
    '169.254.169.254',
    '168.63.129.16',
    '192.0.0.192',
    '192.0.0.8',
    '192.88.99.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:192.0.2.1',
    '::ffff:7f00:1',
    '::ffff:0:7f00:1',
    '::ffff:0:808:808',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
    '100::1',
    '100:0:0:1::1',
    '5f00::1',
    '5f00:ffff::1',
    '2001::1',
    '2002:a00:1::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ],
} as const

for (const [reach, hosts] of Object.entries(CASES)) {
  test(`addresses of reach ${reach}`, () => {
    for (const host of hosts) assert.equal(addressReach(host), reach, host)
  })
}
