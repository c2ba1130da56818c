import { counted } from '@weft/core'
import type { VpnVerifyAnswer } from '@weft/node'
import { formatDuration, printableStyled, shortId } from './format.ts'
import type { Output } from './output.ts'
import { useWords } from './route-lines.ts'
import { formatTable } from './table.ts'

type Leg = VpnVerifyAnswer['legs'][number]
type Loss = Leg['losses'][number]

/** What the answers of hops show, and what they do not. */
export const PROVES =
  'This proves that each cell that came back was sealed by every hop of its leg, and that every hop that answered was there just now; ' +
  'it does not prove what a hop says that it counted, who runs it, or what it does with what it sees: a lie moves a loss to a link beside it, and two neighbours that lie alike are not found.'

/** Every leg with what is known of it and by whose word, for people. */
export function verificationLines(legs: readonly Leg[], long: boolean, output: Output): string[] {
  if (legs.length === 0) return []
  return [...legs.flatMap((leg) => [...legLines(leg, long, output), '']), PROVES]
}

/** Why this is no clean result; undefined when it is. */
export function troubleOf(legs: readonly Leg[]): { readonly cause: string; readonly fix: string } | undefined {
  if (legs.length === 0)
    return {
      cause: 'There is no leg that is ready.',
      fix: 'Build one: weft vpn up --wait. weft vpn route says how that goes.',
    }
  const silent = legs.flatMap(({ hops }) => hops.filter(({ answered }) => !answered))
  const untrue = legs.flatMap(({ contradictions }) => contradictions)
  const parts = [
    ...(silent.length === 0
      ? []
      : [
          `${counted(silent.length, 'hop')} did not answer (${silent.map(({ node }) => `…${shortId(node)}`).join(', ')})`,
        ]),
    ...(untrue.length === 0 ? [] : [`${counted(untrue.length, 'statement')} of hops cannot be true`]),
  ]
  if (parts.length === 0) return undefined
  return {
    cause: `${parts.join(', and ')}.`,
    fix: 'Nothing to do if it is new: such a leg is left for another one. Ask again in a minute; where it stays, weft vpn down and weft vpn up take other nodes.',
  }
}

function legLines(leg: Leg, long: boolean, output: Output): string[] {
  const { state, sent, verified, rejected, hops, losses, delays, contradictions } = leg
  const name = (node: string): string => (long ? node : `…${shortId(node)}`)
  return [
    `${useWords(leg)}, ${state}: ${counted(sent, 'cell')} sent, ${verified} came back with the right tag of every hop, ${rejected} rejected`,
    ...formatTable(
      [
        '  ROLE',
        'NODE',
        'ANSWERED',
        'SENT',
        'SAYS IT OPENED',
        'SAYS IT SENT',
        'TAGS RIGHT',
        'LOSS OUT',
        'LOSS BACK',
        'HEALTH',
        'WHY',
      ],
      hops.map((hop) => [
        `  ${hop.role}`,
        long ? hop.node : shortId(hop.node),
        hop.answered ? output.styled('green', 'yes') : output.styled('red', 'no'),
        String(hop.sent),
        String(hop.counted?.opened ?? '-'),
        String(hop.counted?.sent ?? '-'),
        String(hop.verified),
        percent(hop.lossForwardPercent),
        percent(hop.lossBackwardPercent),
        output.styled(hop.health === 'unknown' ? 'dim' : hop.health, hop.health),
        hop.reason,
      ]),
    ),
    ...losses.map((loss) => `  ${output.styled('yellow', 'loss')}  ${lossWords(loss, name)}`),
    ...delays.map(
      ({ role, node, addedMs, forMs }) =>
        `  ${output.styled('yellow', 'delay')}  ${addedMs.toFixed(1)} ms more than before at the ${role} ${name(node)} or the link before it, for ${formatDuration(forMs)}`,
    ),
    ...contradictions.map(
      ({ nodes, what, forMs }) =>
        `  ${output.styled('red', 'contradiction')}  ${nodes.map(name).join(' and ')}: ${printableStyled(what)}, for ${formatDuration(forMs)}`,
    ),
  ]
}

function lossWords(loss: Loss, name: (node: string) => string): string {
  const { part, role, node, direction, sent, lost, chance, forMs } = loss
  const way = direction === 'forward' ? 'towards the exit' : 'towards this node'
  const where =
    part === 'link'
      ? `on the link before the ${role} ${name(node)}, or by one of its two ends`
      : `dropped by the ${role} ${name(node)}, as it says`
  return `${lost} of ${sent} cells ${way}, ${where}, for ${formatDuration(forMs)}; by accident: ${chanceWords(chance)}`
}

function chanceWords(chance: number): string {
  return chance < 1e-12 ? 'less than 1 in a million million' : `1 in ${Math.round(1 / chance).toLocaleString('en')}`
}

function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)} %`
}
