import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock, systemRandom } from '@weft/core'
import { Session } from '@weft/onion'
import { exitRig, until } from './exit-rig.ts'

// Circuits whose client begins a download and never says another word (Jansen et al. 2014, "The Sniper Attack").

const CIRCUITS = 1_000
const MOST_BYTES = 64 << 20
const PAYLOAD = 1_329

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use after a collection, those outside of the heap included. */
function used(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The port of a server, in a process of its own, that sends to whoever calls it for as long as he takes it. */
async function endlessServer(t: TestContext): Promise<number> {
  const program = `
    const chunk = new Uint8Array(65_536)
    const server = require('node:net').createServer((socket) => {
      const more = () => { while (socket.write(chunk)); }
      socket.on('error', () => {}).on('drain', more).resume()
      more()
    }).listen(0, '127.0.0.1', () => console.log(server.address().port))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(line.toString())
}

/** What the sessions of so many clients take by themselves. */
function bytesOfClients(port: number): number {
  const before = used()
  const sessions = Array.from({ length: CIRCUITS }, () => {
    const session = new Session({ role: 'client', clock: systemClock, random: systemRandom, payloadLength: PAYLOAD })
    session.openStream({ host: '127.0.0.1', port }).handler = {}
    session.fill(new Uint8Array(PAYLOAD))
    return session
  })
  const bytes = used() - before
  for (const session of sessions) session.close(0, '')
  return bytes
}

test('a thousand stalled circuits take 64 MiB of an exit at most', async (t) => {
  const port = await endlessServer(t)
  const rig = exitRig(systemClock, { allow: ['127.0.0.1/32:*'] })
  const clients = [rig, ...Array.from({ length: 9 }, () => rig.join())]
  t.after(() => {
    for (const { driver } of clients.slice(1)) driver.close()
    rig.close()
  })
  let stalled = 0
  /** Asks for a download, and hears nothing more once it is connected. */
  const stall = (client: Pick<typeof rig, 'session' | 'driver'>): void => {
    const { session, driver } = client
    session.openStream({ host: '127.0.0.1', port }).handler = {
      onOpened: () => {
        session.receive = () => {}
        stalled++
      },
      // A machine under load does not connect within the exit's time: again, in a turn of its own.
      onRefused: () => void setImmediate(() => stall(client)),
    }
    driver.wake()
  }
  const ofClients = bytesOfClients(port)
  // What is made once, such as code and pools, is there before it is counted.
  for (const client of clients) stall(client)
  await until(() => stalled === clients.length)
  const before = used()
  for (let count = 0; count < CIRCUITS; count++) {
    const client = rig.join()
    clients.push(client)
    stall(client)
    await until(() => stalled >= clients.length - 100)
  }
  // Where no memory is free a connection is made all the same, and not read.
  await until(() => stalled === clients.length && rig.memory.used > rig.memory.limit / 2)
  const more = used() - before - ofClients
  t.diagnostic(
    `${(more / (1 << 20)).toFixed(1)} MiB, ${(ofClients / (1 << 20)).toFixed(1)} of the clients beside; ${rig.memory.used} of ${rig.memory.limit} for sessions`,
  )
  assert.ok(rig.memory.used <= rig.memory.limit, `${rig.memory.used}`)
  assert.ok(more <= MOST_BYTES, `${(more / (1 << 20)).toFixed(1)} MiB`)
})
