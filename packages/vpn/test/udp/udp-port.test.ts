import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type Logger, isWeftError, silentLogger } from '@weft/core'
import { loadLinuxSocketCalls } from '../../src/udp/linux-socket-calls.ts'
import { openUdpPort } from '../../src/udp/open-udp-port.ts'
import { PlainPort } from '../../src/udp/plain-port.ts'
import { SegmentedPort } from '../../src/udp/segmented-port.ts'
import { testSegmentation } from '../../src/udp/segmentation-self-test.ts'
import { describeUdpPort } from './udp-port-suite.ts'

const calls = await loadLinuxSocketCalls().catch(() => undefined)

/** Undefined when segmentation works here. */
function unavailable(): string | undefined {
  if (calls === undefined) return 'no system calls of Linux here'
  try {
    testSegmentation(calls, false)
    return undefined
  } catch (error) {
    return String(error)
  }
}
const reason = unavailable()
if (reason !== undefined && process.env['CI'] !== undefined) throw new Error(`segmentation is needed in CI: ${reason}`)

describeUdpPort('plain port', (options) => PlainPort.open(options), { exact: true })
if (calls !== undefined && reason === undefined)
  describeUdpPort('segmented port', async (options) => new SegmentedPort(calls, options), { exact: false })

const options = { host: '127.0.0.1', port: 0, onBatch: () => {}, logger: silentLogger }

describe('openUdpPort', () => {
  it('takes the segmented port where it works', { skip: reason ?? false }, async () => {
    const port = await openUdpPort(options)
    port.close()
    assert.equal(port.kind, 'segmented')
  })

  it('shares a port with nobody who does not belong to it', async () => {
    const first = await openUdpPort({ ...options, sharing: 'first' })
    const { port } = first.address
    await assert.rejects(openUdpPort({ ...options, port, sharing: 'first' }), (error) =>
      isWeftError(error, 'E_PORT_TAKEN'),
    )
    first.close()
  })

  it('takes the plain port elsewhere, and logs why', async () => {
    const lines: string[] = []
    const logger: Logger = { ...silentLogger, warn: (_, fields) => lines.push(String(fields?.['reason'])) }
    const port = await openUdpPort({ ...options, logger }, () => Promise.reject(new Error('no koffi')))
    port.close()
    assert.equal(port.kind, 'plain')
    assert.deepEqual(lines, ['no koffi'])
  })

  it('finds out that a kernel takes the options and does not honour them', { skip: reason ?? false }, async () => {
    for (const broken of [
      { setsockopt: () => -1 },
      { sendmsg: () => -1 },
      { sendmsg: () => 0 },
      { recvmmsg: () => -1 },
    ]) {
      const port = await openUdpPort(options, () => Promise.resolve({ ...calls!, poll: () => 1, ...broken }))
      port.close()
      assert.equal(port.kind, 'plain')
    }
  })

  it('refuses what is no address', async () => {
    await assert.rejects(openUdpPort({ ...options, host: 'localhost' }), (error) => isWeftError(error, 'E_UDP_PORT'))
  })

  it('keeps a process alive while open, and not when closed', async () => {
    const program = `
      import { openUdpPort } from ${JSON.stringify(import.meta.resolve('../../src/udp/open-udp-port.ts'))}
      import { silentLogger } from '@weft/core'
      const port = await openUdpPort({ host: '127.0.0.1', port: 0, onBatch: () => { port.close(); console.log('closed') }, logger: silentLogger })
      port.send(new Uint8Array(1440), port.address)
      port.flush()`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      timeout: 20_000,
    })
    assert.equal(stdout, 'closed\n')
  })

  it('lets its thread be ended from outside, which frees the port', async () => {
    const program = `
      import { parentPort } from 'node:worker_threads'
      import { openUdpPort } from ${JSON.stringify(import.meta.resolve('../../src/udp/open-udp-port.ts'))}
      const quiet = () => {}
      const port = await openUdpPort({ host: '127.0.0.1', port: 0, onBatch: quiet, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet } })
      parentPort.postMessage(port.address.port)`
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
    const port = await new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
    const next = await openUdpPort({ ...options, port })
    next.close()
    assert.equal(next.address.port, port)
  })
})
