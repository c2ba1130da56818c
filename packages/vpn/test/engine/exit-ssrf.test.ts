import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@weft/core'
import { SessionCode } from '@weft/onion'
import { NameResolver } from '../../src/exit/name-resolver.ts'
import { SessionShares } from '../../src/exit/session-shares.ts'
import { exitRig, until } from './exit-rig.ts'

const OWN = '203.0.113.50'

/** Every way in which one of these addresses can be written that some resolver or system call takes for it. */
const INSIDE = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '169.254.169.254.',
  '168.63.129.16',
  '100.100.100.200',
  '224.0.0.1',
  '255.255.255.255',
  OWN,
  '::',
  '::1',
  '[::1]',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::a00:1',
  '2002:7f00:1::1',
  '2001:0:7f00:1::',
  'fe80::1',
  'fe80::1%lo',
  'fec0::1',
  'fd00::1',
  'fd00:ec2::254',
  'ff02::1',
  'localhost',
  'LOCALHOST.',
  'a.localhost',
]

/** An exit that counts to where it would connect, and whose name servers say what they are told to. */
function exit(t: TestContext, answers: (host: string) => string) {
  const dialled: unknown[] = []
  t.mock.method(Socket.prototype, 'connect', function (this: Socket, options: unknown) {
    const [first] = [options].flat(2) as [{ readonly host?: string }]
    dialled.push(first.host)
    queueMicrotask(() => this.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })))
    return this
  })
  const resolver = { resolve: (host: string) => Promise.resolve(answers(host)) }
  const rig = exitRig(systemClock, { resolver, interfaces: () => [OWN] })
  t.after(rig.close)
  /** The code of SessionCode with which a connection is refused. */
  const open = async (host: string, port = 80): Promise<number> => {
    const codes: number[] = []
    rig.session.openStream({ host, port }).handler = { onRefused: (code) => void codes.push(code) }
    rig.driver.wake()
    await until(() => codes.length === 1)
    return codes[0] as number
  }
  return { open, dialled }
}

test('a connection to what is inside is refused, whatever form it has, and nothing is dialled', async (t) => {
  // As the exit's own resolver, which takes literals and localhost for what they are, and knows no other names.
  const names = new NameResolver({ clock: systemClock, servers: ['127.0.0.1:9'], lookups: new SessionShares(512) })
  const dialled: unknown[] = []
  t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
    dialled.push(1)
    return this
  })
  const rig = exitRig(systemClock, { resolver: names, interfaces: () => [OWN] })
  t.after(() => {
    names.close()
    rig.close()
  })
  let refused = 0
  let asked = 0
  for (const host of INSIDE) {
    let stream
    try {
      stream = rig.session.openStream({ host, port: 80 })
    } catch {
      // The client's side does not even write it.
      continue
    }
    asked++
    stream.handler = { onRefused: () => void refused++ }
    rig.driver.wake()
  }
  assert.ok(asked > 25, `${asked}`)
  await until(() => refused === asked)
  assert.deepEqual(dialled, [])
})

test('a name that leads inside is refused as the address is, in whatever form an answer has it', async (t) => {
  const { open, dialled } = exit(t, (host) => INSIDE[Number(host.split('.')[0])] as string)
  for (const [at, host] of INSIDE.entries()) assert.equal(await open(`${at}.rebind.test`), SessionCode.policy, host)
  assert.deepEqual(dialled, [])
})

test('of a name whose answers change the address that was judged is dialled, and each connection is judged by itself', async (t) => {
  let asked = 0
  const { open, dialled } = exit(t, () => (asked++ % 2 === 0 ? '192.0.2.7' : '127.0.0.1'))
  const codes = []
  for (let time = 0; time < 6; time++) codes.push(await open('rebind.test'))
  const [reached, refused] = [SessionCode.connectionRefused, SessionCode.policy]
  assert.deepEqual(codes, [reached, refused, reached, refused, reached, refused])
  assert.deepEqual(dialled, ['192.0.2.7', '192.0.2.7', '192.0.2.7'])
  assert.equal(asked, 6)
})
