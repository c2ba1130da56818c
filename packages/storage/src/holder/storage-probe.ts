import { WeftError, equalBytes, isWeftError, systemClock, systemRandom, withTimeout } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { ConformanceProbe, Probe } from '@weft/overlay'
import { authorizePut, authorizeRelease } from './shard-authorization.ts'
import { ShardClient } from './shard-client.ts'

/** Bytes of the shard that is put: small enough for any line, and not a whole number of checksum blocks. */
const PROBE_LENGTH = 100_000

/** ms for all of it: a disk that takes longer keeps nobody's shards. */
const PROBE_MS = 10_000

/** What a node of role `storage` must do before it is admitted: keep a shard, give it back, and forget it when told. */
export const storageProbe: ConformanceProbe = {
  role: 'storage',
  name: 'keeps a shard',
  run(probe, _applicant, signal) {
    const tooSlow = (): WeftError => nonConforming(`it took longer than ${PROBE_MS / 1_000} s`)
    return withTimeout(systemClock, PROBE_MS, signal, tooSlow, (inTime) => keepsAShard(probe, inTime))
  },
}

async function keepsAShard(probe: Probe, signal: AbortSignal): Promise<void> {
  await using client = new ShardClient(await probe.open('shard', signal))
  const object = SigningKey.generate()
  client.authorize(authorizePut(object, probe.self))
  const name = { object: object.publicKey, segment: 0, index: 0 }
  const sent = systemRandom.bytes(PROBE_LENGTH)
  await client.put(name, sent, signal)
  const back = new Uint8Array(PROBE_LENGTH)
  await client.get(name, back, signal)
  if (!equalBytes(sent, back)) throw nonConforming('it gave back other bytes than it was given')
  await client.release(authorizeRelease(object), signal)
  try {
    await client.get(name, back, signal)
  } catch (error) {
    if (isWeftError(error, 'E_SHARD_NOT_FOUND')) return
    throw error
  }
  throw nonConforming('it still has a shard that its owner released')
}

function nonConforming(why: string): WeftError {
  return new WeftError({
    code: 'E_STORAGE_NONCONFORMING',
    cause: `The node does not keep shards as it should: ${why}.`,
    fix: 'Check the disk of the node and that it runs an unaltered release.',
  })
}
