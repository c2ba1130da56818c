import type { Fault } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { ValidatorFault } from '@weft/overlay'

/**
 * What the validators said, so that whoever asked them reads why without asking for more: the same words once, with how
 * many said them. Each begins with a space.
 * @param told what stands with it already
 */
export function validatorWords(
  faults: readonly ValidatorFault[],
  told?: Pick<Fault, 'code'> & Partial<Pick<Fault, 'cause'>>,
): string {
  const sentence = ({ code, cause }: Fault): string => (code === told?.code ? cause : `${code}: ${cause}`)
  return [...Map.groupBy(faults, sentence)]
    .map(([words, said]) => {
      const one = said.length === 1
      const who = one ? `Validator ${shortId(said[0]?.validator ?? '')}` : `${said.length} validators`
      return words === told?.cause ? ` ${who} ${one ? 'says' : 'say'} so.` : ` ${who}: ${words}`
    })
    .join('')
}
