import * as z from 'zod'
import { openProxy } from '../daemon/open-proxy.ts'
import { type Route, defineRoute } from '../http/route.ts'
import { vpnExitsAnswer, vpnRouteAnswer, vpnStatusAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

/** The VPN: this node's proxy and routes, and what it carries for others. */
export function vpnRoutes({ vpn, ports }: ApiServices): Route[] {
  const status = async () => ({ schemaVersion: 1 as const, ...(await vpn.status()) })
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
          .describe('Whether the whole machine goes through it; by default as vpn.tun says'),
      }),
      response: vpnStatusAnswer,
      handler: async ({ query: { tun } }) => {
        await openProxy(vpn, ports['api'] as number, tun === undefined ? undefined : tun === 'on')
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
