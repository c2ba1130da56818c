import { printable } from '@weft/core'
import type { NetworkAnswer } from '@weft/node'

type Validators = Pick<NetworkAnswer['network'], 'validators' | 'quorum' | 'tolerated'>

/** The validators of a network: how many must sign, who they are, and what is known of those that do not answer or refused. */
export function validatorLines(
  { validators, quorum, tolerated }: Validators,
  named: (id: string) => string,
): readonly string[] {
  const silent = validators.filter(({ state }) => state === 'silent').length
  return [
    `validators  ${[
      `${validators.length}, of which ${quorum} must sign`,
      tolerated === 0 ? 'none may be down' : `${tolerated} may be down`,
      ...(silent === 0 ? [] : [silent === 1 ? '1 does not answer' : `${silent} do not answer`]),
    ].join('; ')}`,
    ...validators.flatMap(({ id, addresses, state, inMap, fault }) => [
      `            ${named(id)}  ${addresses.join(', ')}${state === 'silent' ? '  does not answer' : ''}${inMap ? '' : '  not in the map'}`,
      ...(fault === undefined ? [] : [`              ${fault.code}: ${printable(fault.cause)}`]),
    ]),
  ]
}
