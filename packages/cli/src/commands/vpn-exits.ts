import type { VpnExitsAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { shortId } from '../output/format.ts'
import { placeWords, useWords } from '../output/route-lines.ts'
import { formatTable } from '../output/table.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const { exits } = await openApi(invocation).json<VpnExitsAnswer>('GET', '/api/v1/vpn/exits', undefined, { signal })
  output.document({ exits })
  if (exits.length === 0) {
    output.note('The signed map has no exits. Who is there: weft members')
    return
  }
  const rows = exits.map(({ node, country, region, family, simulated, used, uses, load, reason }) => [
    invocation.flag('long') ? node : shortId(node),
    placeWords(country, region, simulated),
    family,
    load,
    used ? output.styled('green', `in use: ${uses.map(useWords).join(', ')}`) : reason,
  ])
  output.print(...formatTable(['NODE', 'PLACE', 'FAMILY', 'LOAD', 'USE'], rows))
}
