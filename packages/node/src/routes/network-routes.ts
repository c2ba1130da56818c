import * as z from 'zod'
import { WeftError, toBase64Url } from '@weft/core'
import { type DidKey, isDidKey, shortId } from '@weft/crypto'
import { type CertificateVote, type Member, layerOf, regionStanding } from '@weft/overlay'
import { type Route, defineRoute } from '../http/route.ts'
import { type MemberAnswer, membersAnswer, networkAnswer, peersAnswer, pingAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { describeMap } from './describe-map.ts'
import { describeNetwork } from './describe-network.ts'
import { describeResources } from './describe-resources.ts'
import { nodeId } from './schemas.ts'

/** ms to wait for certificates' signatures that are not at hand; those that did not come are left out. */
const VOTES_TIMEOUT_MS = 5_000

/** The members of the network and this node's links to them. */
export function networkRoutes(services: ApiServices): Route[] {
  const { overlay, ids, clock, attesters } = services
  const describe = (
    one: Member,
    quorum: number,
    votes: readonly CertificateVote[],
    suspects: ReadonlySet<DidKey>,
    judges: readonly Member[],
  ): MemberAnswer => {
    const self = one.id === ids.node
    const { state, since, rttMs, fault: reason } = overlay.peer(one.id)
    return {
      id: one.id,
      short: shortId(one.id),
      roles: one.roles,
      certificate: {
        epoch: one.certificateEpoch,
        quorum,
        expiresAt: one.expiresAt,
        signatures: votes.map(({ validator, signature }) => ({ validator, signature: toBase64Url(signature) })),
      },
      addresses: one.addresses,
      family: one.family,
      region: one.region,
      regionStanding: regionStanding(one, judges),
      country: one.country,
      asn: one.asn,
      simulated: one.simulated,
      ...(one.measured === undefined ? {} : { measured: one.measured }),
      ...(one.resources === undefined ? {} : { resources: describeResources(attesters, one.resources) }),
      layer: layerOf(one, (id) => overlay.term().isValidator(id)),
      suspect: suspects.has(one.id),
      self,
      peer: self ? { state: 'connected', since: clock.now(), rttMs: 0 } : { state, since, rttMs, fault: reason },
    }
  }
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/network',
      scope: 'network:read',
      summary: 'The network file, as far as people care, the validators of now, and the newest signed map.',
      response: networkAnswer,
      handler: () => ({
        schemaVersion: 1 as const,
        network: describeNetwork(services),
        map: describeMap(overlay),
      }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/members',
      scope: 'network:read',
      summary: 'The members of the newest signed map with who certified them.',
      response: membersAnswer,
      handler: async (_, { signal }) => {
        const members = overlay.membership.members()
        const judges = members.filter(({ id }) => overlay.membership.isValidator(id))
        const map = describeMap(overlay)
        const votes = await overlay.certificateVotes(
          members.map(({ id }) => id),
          AbortSignal.any([signal, AbortSignal.timeout(VOTES_TIMEOUT_MS)]),
        )
        const suspects = overlay.suspects()
        return {
          schemaVersion: 1 as const,
          epoch: map.epoch,
          members: members.map((one) => describe(one, map.quorum, votes.get(one.id) ?? [], suspects, judges)),
          map,
        }
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/peers',
      scope: 'network:read',
      summary: 'The links to the other members.',
      response: peersAnswer,
      handler: () => ({ schemaVersion: 1 as const, peers: overlay.peers() }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/peers/:id/ping',
      scope: 'network:probe',
      summary: 'Measures one round trip to a member.',
      params: z.object({ id: nodeId }),
      response: pingAnswer,
      handler: async ({ params: { id } }, { signal }) => {
        if (!isDidKey(id) || !overlay.membership.isMember(id)) {
          throw new WeftError({
            code: 'E_NODE_UNKNOWN',
            cause: `${shortId(id)} is not a member of this network.`,
            fix: 'See weft members for who is.',
          })
        }
        return { schemaVersion: 1 as const, id, rttMs: await overlay.ping(id, signal) }
      },
    }),
  ]
}
