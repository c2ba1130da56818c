import { createServer } from 'node:tls'
import { Scope, silentLogger, systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { createTransport } from '../../packages/overlay/src/transport/create-transport.ts'
import { toPrivateKey } from '../../packages/overlay/src/transport/peer-id.ts'
import { createHostCertificate } from '../../packages/overlay/src/transport/tls/host-certificate.ts'
import { KEY_EXCHANGE } from '../../packages/overlay/src/transport/tls/tls-encrypter.ts'

/** The other process of the bench: answers map.head, swallows bulk streams, and on a port of its own plain TLS. Prints where. */
const scope = new Scope({ name: 'bench peer' })
const key = SigningKey.generate()
const transport = await createTransport({
  networkId: 'bench',
  key,
  listen: [{ host: '127.0.0.1', port: 0 }],
  clock: systemClock,
  logger: silentLogger,
  scope,
  access: { allows: () => true },
  lookup: () => [],
})
transport.handle('map.head', async () => ({}))
transport.handleStream('shard', async (stream) => {
  for await (const _ of stream.incoming);
  await stream.closeWrite()
})
const host = await createHostCertificate(toPrivateKey(key))
const plain = createServer(
  {
    key: host.key.export({ format: 'pem', type: 'pkcs8' }),
    cert: `-----BEGIN CERTIFICATE-----\n${host.certificate.toBase64()}\n-----END CERTIFICATE-----\n`,
    ecdhCurve: KEY_EXCHANGE,
  },
  (socket) => {
    socket.on('error', () => socket.destroy())
    socket.resume().on('end', () => socket.end())
  },
)
plain.listen(0, '127.0.0.1', () => {
  const address = plain.address()
  const tlsPort = typeof address === 'object' && address !== null ? address.port : 0
  console.log(JSON.stringify({ id: transport.self, addresses: transport.listenAddresses(), tlsPort }))
})
process.stdin.resume()
process.stdin.once('end', () => void scope.close().then(() => process.exit(0)))
