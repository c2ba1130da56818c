import { seededRandom } from '@weft/core'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'
import { ClientChoice, type ClientChoiceInit } from '../../src/route/client-choice.ts'
import { makeMember } from './make-member.ts'

/** Of a client that is no member, at its first start, and from a seed where nothing else is said. */
export function testChoice(init: Pick<ClientChoiceInit, 'clock'> & Partial<ClientChoiceInit>): ClientChoice {
  return new ClientChoice({
    self: makeMember(60_000, []).id,
    random: seededRandom(1),
    guards: undefined,
    profile: DEFAULT_ROUTE_PROFILE,
    keepGuards: () => {},
    ...init,
  })
}
