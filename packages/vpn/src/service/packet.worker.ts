import { performance } from 'node:perf_hooks'
import { parentPort } from 'node:worker_threads'
import { type Logger, WeftError, isWeftError, messageOf, systemClock, systemRandom } from '@weft/core'
import type { LossCount } from '@weft/overlay'
import { PacketEngine } from '../engine/packet-engine.ts'
import type { RouteChoices, RouteVerification, ThreadStatus } from '../vpn.ts'
import type { LogLevel, PacketCommand, PacketReport } from './packet-messages.ts'

/** The packet thread: one engine, driven by messages of the main thread. */

if (parentPort === null) throw new Error('packet.worker.ts runs as a worker thread only')
const port = parentPort
const tell = (report: PacketReport): void => port.postMessage(report)
const log =
  (level: LogLevel): Logger['info'] =>
  (message, fields) =>
    tell({ type: 'log', level, message, fields })

let engine: PacketEngine | undefined

let utilization = performance.eventLoopUtilization()

/** Of this thread's event loop, since the last question. */
function atWork(): number {
  const before = utilization
  utilization = performance.eventLoopUtilization()
  return performance.eventLoopUtilization(utilization, before).utilization
}

async function run(
  command: PacketCommand,
): Promise<ThreadStatus | RouteVerification | RouteChoices | LossCount | undefined> {
  if (command.type === 'open') {
    engine = await PacketEngine.open(command.init, {
      clock: systemClock,
      random: systemRandom,
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      onRoute: (event) => tell({ type: 'route', event }),
      onRouteEvent: (event) => tell({ type: 'routeEvent', event }),
      onThroughput: (event) => tell({ type: 'throughput', event }),
      onGuards: (state) => tell({ type: 'guards', state }),
      onPayment: (payment) => tell({ type: 'payment', payment }),
      onWantTokens: (count) => tell({ type: 'wantTokens', count }),
      load: { atWork, onUse: (use) => tell({ type: 'use', use }) },
    })
    return undefined
  }
  if (engine === undefined) throw new Error(`${command.type} came before open`)
  switch (command.type) {
    case 'worker':
      engine.addWorker(command.index, command.port)
      return undefined
    case 'members':
      engine.setMembers(command.members)
      return undefined
    case 'unreachable':
      engine.setUnreachable(command.ids)
      return undefined
    case 'setLoads':
      engine.setLoads(command.loads)
      return undefined
    case 'outside':
      engine.setOutside(command.addresses)
      return undefined
    case 'setProfile':
      engine.setProfile(command.profile)
      return undefined
    case 'up':
      await engine.up(command.tun, command.ways)
      return undefined
    case 'down':
      await engine.down()
      return undefined
    case 'status':
      return engine.status()
    case 'verify':
      return engine.verify()
    case 'choices':
      return engine.choices(command.question)
    case 'addresses':
      engine.setAddresses(command.members)
      return undefined
    case 'onionKeys':
      engine.setOnionKeys(command.keys)
      return undefined
    case 'receiptKeys':
      engine.setReceiptKeys(command.keys)
      return undefined
    case 'kept':
      engine.kept(command.number, command.answer)
      return undefined
    case 'tokens':
      engine.fillPurse(command.tokens)
      return undefined
    case 'routesReady':
      await engine.services.ready(command.routes)
      return undefined
    case 'service':
      await engine.services.open(command.request)
      return undefined
    case 'endRoutes':
      engine.services.end(command.routes)
      return undefined
    case 'probe':
      await engine.probe(command.target)
      return undefined
    case 'loss':
      return engine.measureLoss(command.target)
    case 'close':
      await engine.close()
      tell({ type: 'tokensLeft', tokens: engine.emptyPurse() })
      return undefined
  }
}

port.on('message', (command: PacketCommand) => {
  void run(command).then(
    (answer) => {
      if ('id' in command) tell({ type: 'reply', id: command.id, ...(answer === undefined ? {} : { answer }) })
    },
    (error: unknown) => {
      const { code, cause, fix, details } = isWeftError(error)
        ? error
        : new WeftError({
            code: 'E_INTERNAL',
            cause: messageOf(error),
            fix: 'Please report it, with the lines of logs/daemon.log around it.',
          })
      if ('id' in command)
        tell({
          type: 'reply',
          id: command.id,
          fault: { code, cause, fix, ...(code === 'E_PORT_TAKEN' ? { details } : {}) },
        })
      else log('error')('a command to the packet thread failed', { code, cause })
    },
  )
})
