import { Scope, silentLogger, systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { createTransport } from '../../src/transport/create-transport.ts'

/**
 * A node in a process of its own. `map.head` never answers, `map.certificates` at once; a bulk stream is swallowed and
 * its length sent back, or with the argument `stall` never read. Prints its id and addresses; ends with its stdin.
 */
const stall = process.argv[2] === 'stall'
const scope = new Scope({ name: 'peer process' })
const transport = await createTransport({
  networkId: 'test',
  key: SigningKey.generate(),
  listen: [{ host: '127.0.0.1', port: 0 }],
  clock: systemClock,
  logger: silentLogger,
  scope,
  access: { allows: () => true },
  lookup: () => [],
})
transport.handle('map.head', () => new Promise(() => {}))
transport.handle('map.certificates', async () => ({}))
transport.handleStream('shard', async (stream, signal) => {
  if (stall) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    return
  }
  let length = 0
  for await (const chunk of stream.incoming) length += chunk.length
  await stream.write(new TextEncoder().encode(String(length)))
  await stream.closeWrite()
})
console.log(JSON.stringify({ id: transport.self, addresses: transport.listenAddresses() }))
process.stdin.resume()
process.stdin.once('end', () => void scope.close().then(() => process.exit(0)))
