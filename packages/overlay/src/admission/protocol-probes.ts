import { type Random, WeftError } from '@weft/core'
import {
  FrameParser,
  MAX_RPC_FRAME,
  RpcFrameSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  writeVarint,
} from '@weft/wire'
import type { ConformanceProbe } from './probe.ts'

/** A method that no version will ever have. */
const UNKNOWN_METHOD = 'conformance.unknown'

/** A call of a method that does not exist is answered with E_METHOD_UNKNOWN. */
const unknownMethod: ConformanceProbe = {
  role: 'any',
  name: 'unknown-method',
  async run(probe, _applicant, signal) {
    const request = { method: UNKNOWN_METHOD, body: new Uint8Array() }
    const frame = create(RpcFrameSchema, { id: 1, body: { case: 'request', value: request } })
    const bytes = encodeFrame(encodeMessage(RpcFrameSchema, frame))
    let code: string | undefined
    for (const waitMs of ANSWER_WAITS_MS) {
      const { received } = await probe.sendRaw('rpc', bytes, { signal, waitMs })
      code = faultCodeIn(received)
      if (code !== undefined) break
    }
    if (code !== 'E_METHOD_UNKNOWN')
      throw fault(`a call of an unknown method was answered with ${code ?? 'nothing'}, not E_METHOD_UNKNOWN`)
  },
}

/** A record that was never written is not found. */
const unknownRecord = (random: Random): ConformanceProbe => ({
  role: 'any',
  name: 'unknown-record',
  async run(probe, { id }, signal) {
    const { record } = await probe.rpc.call(id, 'record.get', { key: random.bytes(32) }, { signal })
    if (record !== undefined) throw fault('it answered with a record for a key that nobody ever wrote')
  },
})

/** A frame longer than the limit ends the stream before its body is sent. */
const oversizedFrame: ConformanceProbe = {
  role: 'any',
  name: 'oversized-frame',
  async run(probe, _applicant, signal) {
    const header = new Uint8Array(5)
    const length = writeVarint(MAX_RPC_FRAME + 1, header, 0)
    const { state } = await probe.sendRaw('rpc', header.subarray(0, length), { signal, waitMs: RESET_WAIT_MS })
    if (state === 'open')
      throw fault(`it kept a stream open on which a frame of ${MAX_RPC_FRAME + 1} bytes was announced`)
  },
}

/** What every node must do right, whatever its roles. */
export function protocolProbes(random: Random): readonly ConformanceProbe[] {
  return [unknownMethod, unknownRecord(random), oversizedFrame]
}

/** ms that a node has to end a stream. */
const RESET_WAIT_MS = 5_000
/** ms, one try each: a stream stays open after an answer, so only time ends the wait; most answer within the first. */
const ANSWER_WAITS_MS = [200, 1_000, 4_000]

function faultCodeIn(bytes: Uint8Array): string | undefined {
  const parser = new FrameParser(MAX_RPC_FRAME)
  parser.push(bytes)
  const body = parser.takeFrame()
  if (body === undefined) return undefined
  const frame = decodeMessage(RpcFrameSchema, body, MAX_RPC_FRAME)
  return frame.body.case === 'fault' ? frame.body.value.code : frame.body.case
}

function fault(why: string): WeftError {
  return new WeftError({ code: 'E_CONFORMANCE', cause: `${why}.`, fix: 'Update Weft on the node.' })
}
