import { HttpTarget } from '../vpn/http-target.ts'

// A server on the host and port of its arguments. Ends with its process.
const [host, port] = process.argv.slice(2)
await HttpTarget.listen(host, Number(port))
process.stdout.write('ready\n')
