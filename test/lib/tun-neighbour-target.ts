import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import { a, answerFrom } from '../../packages/vpn/test/dns/name-server.ts'

/** On the client's local network: HTTP that says who asks, by both versions; and a name server, by which a name leads here. */
const [own = '', own6 = '', nameServer = ''] = process.argv.slice(2)
const names = createSocket('udp4')
names.on('message', (query, from) => {
  const answer = answerFrom(new Map([['www.test', [a(own)]]]), query)
  if (answer !== undefined) names.send(answer, from.port, from.address)
})
names.bind(53, nameServer)
for (const host of [own6, own])
  createServer((request, response) => response.end(request.socket.remoteAddress)).listen(8081, host, () => {
    if (host === own) process.stdout.write('ready\n')
  })
