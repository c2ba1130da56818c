import { SocksAssociation } from '../../bench/vpn/socks-associate.ts'

/** Asks a proxy of this machine for UDP associations until it is refused one; says how many it has, and with which reply. */
const [proxy = ''] = process.argv.slice(2)
let held = 0
try {
  for (;;) {
    await SocksAssociation.open(Number(proxy))
    held++
  }
} catch (error) {
  process.stdout.write(`${held} associations: ${error instanceof Error ? error.message : ''}\n`, () => process.exit())
}
