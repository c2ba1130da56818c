import { Scope, silentLogger, systemClock, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type NetworkFile, createOverlay } from '@weft/overlay'
import type { Join } from './join.ts'
import { measureJoin } from './measure-join.ts'

/** What a node is started with. */
export interface JoiningNode {
  readonly network: NetworkFile
  /** Of its key, 32 bytes in hex. */
  readonly seed: string
  readonly port: number
  readonly family: string
  readonly directory: string
}

/**
 * A node in a process of its own, from the start of the process until it is in the map; then the process ends. Told to
 * load only, it says when it could have begun.
 */
async function run({ network, seed, port, family, directory }: JoiningNode): Promise<Join> {
  const overlay = await createOverlay({
    network,
    key: new SigningKey(Uint8Array.fromHex(seed)),
    roles: ['storage'],
    listen: [{ host: '127.0.0.1', port }],
    family,
    directory,
    clock: systemClock,
    logger: silentLogger,
    scope: new Scope({ name: 'joining' }),
  })
  return measureJoin(overlay, systemClock, systemRandom.bytes(32), () => performance.now())
}

process.on('message', (node: JoiningNode | 'load') => {
  const end = (message: unknown): void => void process.send?.(message, () => process.exit())
  if (node === 'load') end(performance.now())
  else run(node).then(end, (error: unknown) => end({ error: String(error) }))
})
