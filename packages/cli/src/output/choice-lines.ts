import { counted } from '@weft/core'
import type { VpnChoicesAnswer } from '@weft/node'
import { formatDuration, formatTime, shortId } from './format.ts'
import type { Output } from './output.ts'
import { useWords } from './route-lines.ts'
import { formatTable } from './table.ts'

type Leg = VpnChoicesAnswer['legs'][number]
type Hop = Leg['hops'][number]
type Standing = Hop['heaviest'][number]
type Guard = VpnChoicesAnswer['guards'][number]

const STATE_STYLES = {
  ready: 'green',
  silent: 'yellow',
  doubted: 'yellow',
  'not-called': 'yellow',
  unlisted: 'dim',
} as const

/** How every hop was chosen, and the guards, for people. */
export function choiceLines({ at, legs, guards }: VpnChoicesAnswer, long: boolean, output: Output): string[] {
  const name = (node: string): string => (long ? node : `…${shortId(node)}`)
  const ofLegs = legs.flatMap((leg) => [
    `${useWords(leg)}, ${leg.state}, chosen ${formatDuration(at - leg.chosenAt)} ago:`,
    ...leg.hops.flatMap((hop) => hopLines(hop, name)),
    '',
  ])
  const noLegs = legs.length === 0 ? ['There is no leg (weft vpn up builds one).', ''] : []
  return [...noLegs, ...ofLegs, ...guardLines(guards, at, long, output)]
}

function hopLines(hop: Hop, name: (node: string) => string): string[] {
  const { role, node, discarded, heaviest, asked } = hop
  const others = role === 'entry' ? [] : heaviest.filter((each) => each.standing !== 'chosen')
  return [
    `  ${role.padEnd(5)}  ${name(node)}: ${howWords(hop)}`,
    ...(discarded.length === 0
      ? []
      : [`    out: ${discarded.map(({ words, count }) => `${count} ${words}`).join('; ')}`]),
    ...(others.length === 0
      ? []
      : [`    the heaviest others: ${others.map((each) => `${name(each.node)} ${drawWords(each)}`).join('; ')}`]),
    ...(asked === undefined ? [] : [`    ${name(asked.node)}: ${standingWords(asked, hop, name)}`]),
  ]
}

function howWords(hop: Hop): string {
  const { role, candidates, discarded, bits, floorBits } = hop
  const total = candidates + discarded.reduce((sum, { count }) => sum + count, 0)
  const of = `of ${counted(total, 'member')}`
  if (candidates === 1) return `the only one ${of} that came into question`
  const question = `${of} ${candidates} came into question`
  if (role === 'entry') return `the first guard that fits; ${question}`
  return `${drawWords(hop)}; ${question}, with ${bits.toFixed(1)} bits of uncertainty by their weights, and ${floorBits.toFixed(1)} at least`
}

function drawWords({ weight, share }: Pick<Standing, 'weight' | 'share'>): string {
  return `weight ${(weight ?? 0).toFixed(2)}, chance ${(100 * (share ?? 0)).toFixed(1)} %`
}

function standingWords(
  { standing, weight, share, reason, beside }: Standing,
  { discarded }: Hop,
  name: (node: string) => string,
): string {
  switch (standing) {
    case 'chosen':
      return 'it was chosen'
    case 'candidate':
      return `came into question, ${drawWords({ weight, share })}`
    case 'unlisted':
      return 'no member that carries packets, in the signed map of that time'
    case 'out': {
      const words = discarded.find((each) => each.reason === reason)?.words ?? reason
      return `out: ${words}${beside === undefined ? '' : ` as ${name(beside)}`}`
    }
  }
}

function guardLines(guards: readonly Guard[], at: number, long: boolean, output: Output): string[] {
  if (guards.length === 0) return ['No guards are known: they are drawn for the first route.']
  return [
    'Guards, which legs begin at, in their order:',
    ...formatTable(
      ['  USE', 'NODE', 'STATE', 'SINCE', 'UNTIL', 'WHY'],
      guards.map((guard) => [
        `  ${guard.primary ? 'primary' : 'reserve'}`,
        long ? guard.node : shortId(guard.node),
        output.styled(STATE_STYLES[guard.state], guard.state),
        formatTime(guard.since),
        formatTime(guard.until),
        guardWords(guard, at),
      ]),
    ),
  ]
}

function guardWords({ state, answered, retryAt, unlistedSince }: Guard, at: number): string {
  switch (state) {
    case 'unlisted':
      return `no entry of the signed map${unlistedSince === undefined ? '' : ` since ${formatTime(unlistedSince)}`}`
    case 'doubted':
      return 'circuits behind it are lost that are not behind others'
    case 'not-called':
      return 'the network around does not seem to lead to it'
    case 'silent':
      return `did not answer${retryAt === undefined ? '' : `; it is tried again in ${formatDuration(retryAt - at)}`}`
    case 'ready':
      return answered ? '' : 'was not needed yet'
  }
}
