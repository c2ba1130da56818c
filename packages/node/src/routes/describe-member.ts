import { shortId } from '@weft/crypto'
import { LOAD_WORDS, type Member, type RegionStanding, layerOf, regionStanding } from '@weft/overlay'
import type { MemberAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { describeResources } from './describe-resources.ts'

/** Tells of members as the API does, by what the node sees now; for the members of one answer. */
export function memberDescriber(
  services: Pick<ApiServices, 'overlay' | 'ids' | 'clock' | 'attesters'>,
): (member: Member) => MemberAnswer {
  const { overlay, ids, clock, attesters } = services
  const { membership } = overlay
  const { quorum } = membership.status()
  const suspects = overlay.suspects()
  const term = overlay.term()
  const judges = membership.members().filter(({ id }) => membership.isValidator(id))
  // Members are many and regions few.
  const standings = new Map<string, RegionStanding>()
  const standingOf = (member: Member): RegionStanding => {
    const key = `${member.simulated} ${member.region}`
    const standing = standings.get(key) ?? regionStanding(member, judges)
    standings.set(key, standing)
    return standing
  }
  return (one) => {
    const self = one.id === ids.node
    const load = overlay.loads.get(one.id)
    const { state, since, rttMs, fault: reason } = overlay.peer(one.id)
    return {
      id: one.id,
      short: shortId(one.id),
      roles: one.roles,
      certificate: { epoch: one.certificateEpoch, quorum, expiresAt: one.expiresAt },
      addresses: one.addresses,
      family: one.family,
      region: one.region,
      regionStanding: standingOf(one),
      country: one.country,
      asn: one.asn,
      simulated: one.simulated,
      ...(one.measured === undefined ? {} : { measured: one.measured }),
      ...(one.resources === undefined ? {} : { resources: describeResources(attesters, one.resources) }),
      ...(load === undefined ? {} : { load: { step: LOAD_WORDS[load.step], ageMs: Math.floor(load.ageMs) } }),
      layer: layerOf(one, (id) => term.isValidator(id)),
      suspect: suspects.has(one.id),
      self,
      peer: self ? { state: 'connected', since: clock.now(), rttMs: 0 } : { state, since, rttMs, fault: reason },
    }
  }
}
