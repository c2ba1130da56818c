import { isDidKey } from '@weft/crypto'
import * as z from 'zod'
import { openProxy } from '../daemon/open-proxy.ts'
import { type Route, defineRoute } from '../http/route.ts'
import { vpnChoicesAnswer, vpnExitsAnswer, vpnRouteAnswer, vpnStatusAnswer, vpnVerifyAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { queryInteger } from './schemas.ts'

/** The VPN: this node's proxy and routes, and what it carries for others. */
export function vpnRoutes({ vpn, profiles, ports }: ApiServices): Route[] {
  const status = async () => {
    const stands = await vpn.status()
    const { pending, inUse } = profiles
    const warnings = profiles.warnings(stands.killSwitch?.state)
    return { schemaVersion: 1 as const, ...stands, profile: { name: inUse.name, pending, warnings } }
  }
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/vpn',
      scope: 'vpn:read',
      summary: 'The proxy, its route, and what this node carries for others.',
      response: vpnStatusAnswer,
      handler: status,
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/vpn/route',
      scope: 'vpn:read',
      summary: 'The nodes of the routes, hop by hop, and what goes over each.',
      response: vpnRouteAnswer,
      handler: async () => {
        const { state, fault, route, others } = await vpn.status()
        return { schemaVersion: 1 as const, state, fault, ...route, others }
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/vpn/route/verify',
      scope: 'vpn:read',
      summary: 'Asks every hop of every leg for its counters now, and says what that shows; takes 3 s at most.',
      response: vpnVerifyAnswer,
      handler: async () => ({ schemaVersion: 1 as const, ...(await vpn.verify()) }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/vpn/route/why',
      scope: 'vpn:read',
      summary: 'Why the routes are as they are: how each hop was chosen, and the guards that legs begin at.',
      query: z.strictObject({
        node: z
          .string()
          .refine(isDidKey, 'is no id of a node')
          .optional()
          .describe('A node of which it is told what it was for each hop'),
        named: queryInteger(0, 100).default(5).describe('How many members of each kind are named of each hop'),
      }),
      response: vpnChoicesAnswer,
      handler: async ({ query: { node, named } }) => ({
        schemaVersion: 1 as const,
        ...(await vpn.choices({ node, named })),
      }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/vpn/exits',
      scope: 'vpn:read',
      summary: 'The exits of the signed map.',
      response: vpnExitsAnswer,
      handler: async () => ({ schemaVersion: 1 as const, exits: await vpn.exits() }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/vpn/up',
      scope: 'vpn:use',
      summary: 'Starts the proxy, and building a route; answers when the proxy listens.',
      query: z.strictObject({
        tun: z
          .enum(['on', 'off'])
          .optional()
          .describe('Whether the whole machine goes through it; by default as the profile says'),
        profile: z
          .string()
          .max(32)
          .optional()
          .describe('The profile to use from now on; it stays in use where it cannot be put up'),
      }),
      response: vpnStatusAnswer,
      handler: async ({ query: { tun, profile } }) => {
        if (profile !== undefined) await profiles.use(profile)
        await openProxy({ vpn, profiles }, ports['api'] as number, tun === undefined ? undefined : tun === 'on')
        return status()
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/vpn/down',
      scope: 'vpn:use',
      summary: 'Ends the proxy, every connection over it, and the routes.',
      response: vpnStatusAnswer,
      handler: async () => {
        await vpn.down()
        return status()
      },
    }),
  ]
}
