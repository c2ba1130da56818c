import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import { type Known, a, answerFrom } from '../../packages/vpn/test/dns/name-server.ts'

/** What a client reaches through its tunnel: HTTP, a UDP echo and a name server; and a place that nobody is to reach. */
const [own = '', secret = '', own6 = ''] = process.argv.slice(2)
const zone = new Map<string, Known>([
  ['www.test', [a(own)]],
  ['secret.test', [a(secret)]],
  ['silent.test', 'silent'],
])
let strangers = 0

function echo(host: string, port: number, onMessage?: () => void): void {
  const socket = createSocket('udp4')
  socket.on('message', (bytes, from) => {
    onMessage?.()
    const text = bytes.toString('latin1').startsWith('who') ? Buffer.from(from.address) : bytes
    socket.send(text, from.port, from.address)
  })
  socket.bind(port, host)
}

const names = createSocket('udp4')
names.on('message', (query, from) => {
  const answer = answerFrom(zone, query)
  if (answer !== undefined) names.send(answer, from.port, from.address)
})
names.bind(53, own)
echo(own, 7000)
echo(secret, 7000, () => strangers++)
const pages = createServer((request, response) => {
  if (request.url === '/who') response.end(request.socket.remoteAddress)
  else if (request.url === '/strangers') response.end(String(strangers))
  else if (request.method === 'POST') request.resume().on('end', () => response.end('taken'))
  else response.end(Buffer.alloc(Number(request.url?.slice(1)) || 0, 7))
})
pages.listen(8080, own)
if (own6 !== '') createServer((request, response) => response.end(request.socket.remoteAddress)).listen(8080, own6)
createServer((_, response) => {
  strangers++
  response.end('secret')
}).listen(8080, secret, () => process.stdout.write('ready\n'))
