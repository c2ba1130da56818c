import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { WeftError } from '@weft/core'
import { type Config, loadConfig } from '../../src/config/load-config.ts'
import { parseConfig } from '../../src/config/read-config-file.ts'
import { SETTING_KEYS, settingOf, variableOf } from '../../src/config/settings.ts'
import { testDirectory } from '../support/test-daemon.ts'

const fault = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof WeftError)
  assert.equal(error.code, code)
  assert.match(`${error.cause} ${error.fix}`, words)
  return true
}

const NOWHERE = '/nonexistent/weft'
const load = (args: string[], environment: Record<string, string> = {}): Promise<Config> =>
  loadConfig(['--home', NOWHERE, ...args], environment)

test('without anything every setting has its default', async () => {
  const config = await load([])
  for (const key of SETTING_KEYS) {
    assert.deepEqual(config.values[key], settingOf(key).fallback, key)
    assert.equal(config.sources[key], 'default')
  }
  assert.deepEqual(config.roles, [])
  assert.equal(config.networkFile, `${NOWHERE}/network.json`)
})

test('the file, then the environment, then flags: the later wins', async (t) => {
  const home = testDirectory(t)
  writeFileSync(
    join(home, 'weft.toml'),
    '[ports]\nbase = 1000\npublic = 2000\n[node]\nname = "file"\nroles = ["storage"]\n[storage]\nquota = "20 GiB"\n',
  )
  const config = await loadConfig(['--home', home, '--base-port', '3000'], {
    WEFT_PORTS_BASE: '2500',
    WEFT_NODE_NAME: 'environment',
  })
  assert.equal(config.values['ports.base'], 3000)
  assert.equal(config.values['ports.public'], 2000)
  assert.equal(config.values['node.name'], 'environment')
  assert.equal(config.values['storage.quota'], 20 * 2 ** 30)
  assert.deepEqual(config.roles, ['storage'])
  assert.deepEqual(
    [config.sources['ports.base'], config.sources['node.name'], config.sources['ports.public']],
    ['flag', 'environment', 'file'],
  )
})

test('a bridge has no role, no lease and no half of an identity', async () => {
  const bridge = { WEFT_BRIDGE_ENABLED: 'true' }
  assert.equal((await load([], bridge)).values['bridge.port'], 443)
  await assert.rejects(load(['--roles', 'storage'], bridge), fault('E_CONFIG_INVALID', /storage.*stands in none/))
  await assert.rejects(load([], { ...bridge, WEFT_NODE_FORWARD: 'true' }), fault('E_CONFIG_INVALID', /lease/))
  const half = { ...bridge, WEFT_BRIDGE_CERTIFICATE: 'a.pem' }
  await assert.rejects(load([], half), fault('E_CONFIG_INVALID', /bridge\.certificate_key is not set/))
  for (const name of ['Example.org', '192.0.2.1', 'localhost', 'a..b', '-a.org'])
    await assert.rejects(
      load([], { WEFT_BRIDGE_SERVER_NAME: name }),
      fault('E_CONFIG_INVALID', /server_name|SERVER_NAME/),
    )
})

test('presets are sets of roles; explicit roles win; client is no role to offer', async () => {
  assert.deepEqual((await load(['--preset', 'regular'])).roles, ['storage', 'relay'])
  assert.deepEqual((await load(['--preset', 'core'])).roles, ['storage', 'entry', 'relay'])
  assert.deepEqual((await load(['--preset', 'exit'])).roles, ['exit'])
  assert.deepEqual((await load(['--preset', 'regular', '--roles', 'client'])).roles, [])
  assert.deepEqual((await load(['--roles', 'validator,storage'])).roles, ['validator', 'storage'])
})

test('only a client forwards by a lease', async () => {
  const forwarding = { WEFT_NODE_FORWARD: 'true' }
  assert.equal((await load([], forwarding)).values['node.forward'], true)
  assert.equal((await load(['--roles', 'relay'])).values['node.forward'], false)
  await assert.rejects(
    load(['--roles', 'relay'], forwarding),
    fault('E_CONFIG_INVALID', /has the roles relay: leases are for clients.*node\.forward = false/),
  )
})

test('a node claims no more than it carries', async () => {
  const limited = { WEFT_RELAY_LIMIT_MBPS: '50' }
  assert.equal((await load([], limited)).values['relay.limit_mbps'], 50)
  assert.equal((await load([])).values['relay.limit_mbps'], undefined)
  await load([], { ...limited, WEFT_NODE_BANDWIDTH_MBPS: '50' })
  await assert.rejects(
    load([], { ...limited, WEFT_NODE_BANDWIDTH_MBPS: '51' }),
    fault('E_CONFIG_INVALID', /claims 51 Mbit\/s, and relay\.limit_mbps lets the node carry 50\./),
  )
  for (const wrong of ['0', '-1', '1.5', 'much'])
    await assert.rejects(
      load([], { WEFT_RELAY_LIMIT_MBPS: wrong }),
      fault('E_CONFIG_INVALID', /whole number from 1 to 1000000/),
    )
})

test('IP packets of clients go with one packet worker only', async () => {
  const both = { WEFT_VPN_WORKERS: '2', WEFT_EXIT_IP: 'on' }
  assert.equal((await load([], { WEFT_VPN_WORKERS: '2' })).values['vpn.workers'], 2)
  await assert.rejects(load([], both), fault('E_CONFIG_INVALID', /exit\.ip is on, and vpn\.workers is 2/))
  await assert.rejects(load([], { WEFT_VPN_WORKERS: '17' }), fault('E_CONFIG_INVALID', /whole number from 1 to 16/))
})

test('users and cgroups beside a tunnel have names that a rule can hold', async () => {
  const names = {
    WEFT_VPN_TUN_EXCLUDE_USERS: 'backup,_apt,1000',
    WEFT_VPN_TUN_INCLUDE_CGROUPS: '/a.slice/b\\x2dc@1.service',
  }
  const { values } = await load([], names)
  assert.deepEqual(values['vpn.tun_exclude_users'], ['backup', '_apt', '1000'])
  assert.deepEqual(values['vpn.tun_include_cgroups'], ['/a.slice/b\\x2dc@1.service'])
  for (const wrong of ['-n', 'a b', 'a"b', '12345678901', 'x'.repeat(34)])
    await assert.rejects(
      load([], { WEFT_VPN_TUN_EXCLUDE_USERS: wrong }),
      fault('E_CONFIG_INVALID', /TUN_EXCLUDE_USERS .* name of a user/),
    )
  for (const wrong of [
    '/',
    'a',
    '/a/',
    '/..',
    '/../a',
    '/a/../b',
    '/a//b',
    '/a/.',
    '/a"b',
    '/a*',
    '/a b',
    `/${'x'.repeat(600)}`,
  ])
    await assert.rejects(
      load([], { WEFT_VPN_TUN_EXCLUDE_CGROUPS: wrong }),
      fault('E_CONFIG_INVALID', /TUN_EXCLUDE_CGROUPS .* path of a cgroup/),
    )
})

test('unknown names are refused with the nearest valid one', async (t) => {
  await assert.rejects(load(['--base-prot', '1']), fault('E_CONFIG_UNKNOWN', /'--base-prot'.*'--base-port'/))
  await assert.rejects(load([], { WEFT_NODE_NAM: 'x' }), fault('E_CONFIG_UNKNOWN', /WEFT_NODE_NAM.*WEFT_NODE_NAME/))
  const home = testDirectory(t)
  writeFileSync(join(home, 'weft.toml'), '[storage]\nqouta = 1\n')
  await assert.rejects(loadConfig(['--home', home], {}), fault('E_CONFIG_UNKNOWN', /storage\.qouta.*storage\.quota/))
  await assert.rejects(
    parseConfig('name = "x"', 'weft.toml'),
    fault('E_CONFIG_UNKNOWN', /'name'.*valid are: node\.name/),
  )
})

test('rules of an exit are read one by one, and a wrong one is named with what it lacks', async () => {
  const { values } = await load([
    '--exit-allow',
    '127.0.0.1/32:8000-8999,[2001:db8::/32]:*',
    '--exit-deny',
    '0.0.0.0/0:25',
  ])
  assert.deepEqual(
    [values['exit.allow'], values['exit.deny'], values['vpn.proxy']],
    [['127.0.0.1/32:8000-8999', '[2001:db8::/32]:*'], ['0.0.0.0/0:25'], 'auto'],
  )
  for (const rule of ['10.0.0.0/33:80', '10.0.0.0/8', '10.0.0.0/8:0', '2001:db8::/32:80', 'example.org:80'])
    await assert.rejects(
      load(['--exit-allow', rule]),
      fault('E_CONFIG_INVALID', /--exit-allow .* must be a rule CIDR:PORT/),
    )
})

test('a rule without a port is asked for one, a network for an address; each in one sentence', async () => {
  const causeOf = async (args: string[], environment: Record<string, string> = {}): Promise<string> => {
    try {
      await load(args, environment)
    } catch (error) {
      assert.ok(error instanceof WeftError)
      return error.cause
    }
    return assert.fail('it was taken')
  }
  const rule = await causeOf(['--exit-allow', '10.0.0.0/8'])
  assert.match(rule, /needs a colon and a port, .* behind its address\.$/)
  assert.match(await causeOf(['--exit-allow', 'example.org:80']), /needs an address with or without/)
  assert.doesNotMatch(rule, /\.\./)
  const network = await causeOf([], { WEFT_VPN_TUN_EXCLUDE: 'x' })
  assert.match(network, /'x' has no IPv4 or IPv6 address\.$/)
  assert.doesNotMatch(network, /rule|port/)
  assert.match(await causeOf([], { WEFT_VPN_TUN_INCLUDE: '11.99.0.1/16' }), /write 11\.99\.0\.0\/16\.$/)
})

test('bad values are refused by setting, source and syntax', async () => {
  await assert.rejects(
    load(['--base-port', '70000']),
    fault('E_CONFIG_INVALID', /--base-port in the command line.*1 to 65530.*ports\.base/),
  )
  await assert.rejects(
    load([], { WEFT_LOG_LEVEL: 'loud' }),
    fault('E_CONFIG_INVALID', /WEFT_LOG_LEVEL.*debug, info, warn, error/),
  )
  await assert.rejects(load(['--roles', 'storage,storage']), fault('E_CONFIG_INVALID', /twice/))
  await assert.rejects(
    load(['--roles', 'mailbox']),
    fault('E_CONFIG_INVALID', /one of client, storage, entry, relay, exit, validator/),
  )
  await assert.rejects(load(['--base-port', '4775']), fault('E_CONFIG_INVALID', /overlap/))
  for (const port of ['4780', '4781', '7780', '7785'])
    await assert.rejects(load([], { WEFT_PORTS_PACKETS: port }), fault('E_CONFIG_INVALID', /ports\.packets/))
  assert.equal((await load([], { WEFT_PORTS_PACKETS: '443' })).values['ports.packets'], 443)
  await assert.rejects(load(['--base-port']), fault('E_CONFIG_INVALID', /no value/))
  await assert.rejects(load(['--name', 'a', '--name', 'b']), fault('E_CONFIG_INVALID', /twice/))
  await assert.rejects(load(['start']), fault('E_CONFIG_INVALID', /'start' is not a flag/))
  await assert.rejects(parseConfig('[node\n', 'weft.toml'), fault('E_CONFIG_INVALID', /weft\.toml is not valid TOML/))
})

test('variables of tests and devnets are none of ours', async () => {
  await load([], { WEFT_HOME: '/elsewhere', WEFT_LONG: '1', WEFT_FUZZ_SECONDS: '3', WEFT_SEED: '1', PATH: '/bin' })
})

test('property: what a setting formats, it parses to the same', async () => {
  for (const key of SETTING_KEYS) {
    const { kind, fallback } = settingOf(key)
    if (fallback === undefined) continue
    const [section, name] = key.split('.')
    const parsed = await parseConfig(`[${section}]\n${name} = ${kind.format(fallback)}\n`, 'weft.toml')
    assert.deepEqual(kind.parse(parsed.get(key)), fallback, key)
  }
})

test('property: no value of any type makes a setting throw anything but its refusal', () => {
  fc.assert(
    fc.property(fc.constantFrom(...SETTING_KEYS), fc.anything(), (key, value) => {
      try {
        settingOf(key).kind.parse(value)
      } catch (error) {
        assert.ok(error instanceof RangeError, `${key}: ${String(error)}`)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('property: any command line and environment gives a configuration or a fault with a fix', async () => {
  const word = fc.oneof(
    fc.constantFrom('--home', '--name', '--roles', '--base-port', '--lifeline', '--ready-fd', '--network=x', '7', ''),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { maxLength: 6 }),
      fc.option(fc.constantFrom(...SETTING_KEYS.map(variableOf))),
      fc.string(),
      async (args, variable, value) => {
        try {
          await loadConfig([...args, '--home', NOWHERE], variable === null ? {} : { [variable]: value })
        } catch (error) {
          assert.ok(
            error instanceof WeftError && /^E_CONFIG_(UNKNOWN|INVALID)$/.test(error.code) && error.fix.length > 0,
            String(error),
          )
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('property: any text of a file gives settings or a fault', async () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '[node]',
      '[ports]',
      'name = "a"',
      'base = 5',
      '__proto__ = 1',
      '[__proto__]',
      '[[node]]',
      'node = 1979-05-27',
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (lines) => {
      try {
        await parseConfig(lines.join('\n'), 'weft.toml')
      } catch (error) {
        assert.ok(error instanceof WeftError && error.code.startsWith('E_CONFIG_'), String(error))
      }
    }),
    { numRuns: 500 },
  )
})
