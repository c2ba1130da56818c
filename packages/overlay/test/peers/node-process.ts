import { Scope, fromHex, silentLogger, systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { createOverlay, parseNetworkFile } from '../../src/index.ts'

/** One node as a process of its own, for tests that stop or kill it: `node node-process.ts '{"network","seed","port","directory"}'`. It is a validator if the network names it. */
const { network, seed, port, directory } = JSON.parse(process.argv[2] ?? '{}') as Record<
  'network' | 'seed' | 'port' | 'directory',
  string
>
const file = parseNetworkFile(network)
const key = new SigningKey(fromHex(seed))
const roles = file.validators.find(({ id }) => id === key.id)?.roles ?? ['storage']
await createOverlay({
  network: file,
  key,
  roles,
  listen: [{ host: '127.0.0.1', port: Number(port) }],
  family: 'process',
  directory,
  clock: systemClock,
  logger: silentLogger,
  scope: new Scope({ name: 'node process' }),
})
// The test holds the other end of stdin: this process goes when the test does.
process.stdin.on('end', () => process.exit(0)).resume()
