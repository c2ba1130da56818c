import * as z from 'zod'
import { WeftError, toBase64Url } from '@weft/core'
import { isDidKey, shortId } from '@weft/crypto'
import { type Route, defineRoute } from '../http/route.ts'
import { memberAnswer, membersAnswer, networkAnswer, peersAnswer, pingAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { describeMap } from './describe-map.ts'
import { memberDescriber } from './describe-member.ts'
import { describeNetwork } from './describe-network.ts'
import { inSlices } from './in-slices.ts'
import { nodeId } from './schemas.ts'

/** ms to wait for certificates' signatures that are not at hand; those that did not come are left out. */
const VOTES_TIMEOUT_MS = 5_000

/** The members of the network and this node's links to them. */
export function networkRoutes(services: ApiServices): Route[] {
  const { overlay } = services
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
      summary: 'The members of the newest signed map.',
      response: membersAnswer,
      handler: async (_, { signal }) => {
        const map = describeMap(overlay)
        const members = await inSlices(overlay.membership.members(), memberDescriber(services), signal)
        return { schemaVersion: 1 as const, epoch: map.epoch, members, map }
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/members/:id',
      scope: 'network:read',
      summary: 'One member of the newest signed map with the votes by which it was certified.',
      params: z.object({ id: nodeId }),
      response: memberAnswer,
      handler: async ({ params: { id } }, { signal }) => {
        const member = isDidKey(id) ? overlay.membership.member(id) : undefined
        if (member === undefined) throw notAMember(id)
        const map = describeMap(overlay)
        const votes = await overlay.certificateVotes(
          [member.id],
          AbortSignal.any([signal, AbortSignal.timeout(VOTES_TIMEOUT_MS)]),
        )
        const described = memberDescriber(services)(member)
        const signatures = (votes.get(member.id) ?? []).map(({ validator, signature }) => ({
          validator,
          signature: toBase64Url(signature),
        }))
        return {
          schemaVersion: 1 as const,
          epoch: map.epoch,
          member: { ...described, certificate: { ...described.certificate, signatures } },
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
        if (!isDidKey(id) || !overlay.membership.isMember(id)) throw notAMember(id)
        return { schemaVersion: 1 as const, id, rttMs: await overlay.ping(id, signal) }
      },
    }),
  ]
}

function notAMember(id: string): WeftError {
  return new WeftError({
    code: 'E_NODE_UNKNOWN',
    cause: `${shortId(id)} is not a member of this network.`,
    fix: 'See weft members for who is.',
  })
}
