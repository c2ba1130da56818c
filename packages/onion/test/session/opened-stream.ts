import assert from 'node:assert/strict'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { type LinkShape, type Path, simulatedPath } from './simulated-path.ts'

export const TARGET = { host: 'example.org', port: 443 }
export const GOOD: LinkShape = { delay: 5, rate: 20_000, queue: 1e6 }

/** Lets everything that is under way arrive. */
export function settle(path: Path, ms = 2000): void {
  path.world.run(() => false, path.world.now + ms)
}

/** A path with one open stream; `log` has what both owners were told. */
export function opened(
  shape: LinkShape = GOOD,
  accept = true,
): { path: Path; client: SessionStream; exit: () => SessionStream; log: string[] } {
  const log: string[] = []
  let atExit: SessionStream | undefined
  const note = (who: string, stream: SessionStream): void => {
    stream.handler = {
      onOpened: (address) => void log.push(`${who} opened ${address}`),
      onRefused: (code) => void log.push(`${who} refused ${code}`),
      onData: (chunk) => void log.push(`${who} data ${chunk.length}`),
      onEnd: () => void log.push(`${who} end`),
      onReset: (code) => void log.push(`${who} reset ${code}`),
    }
  }
  const path = simulatedPath(7, shape, (stream) => {
    atExit = stream
    log.push(`exit open ${stream.target?.host}:${stream.target?.port}`)
    note('exit', stream)
    if (accept) stream.accept('2001:db8::1')
  })
  const client = path.client.session.openStream(TARGET)
  note('client', client)
  return {
    path,
    client,
    exit: () => {
      assert.ok(atExit !== undefined)
      return atExit
    },
    log,
  }
}
