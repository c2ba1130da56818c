import * as z from 'zod'
import { type Route, defineRoute } from '../http/route.ts'
import {
  changedVpnProfileAnswer,
  deletedVpnProfileAnswer,
  importedVpnProfileAnswer,
  vpnProfileAnswer,
  vpnProfileDocumentAnswer,
  vpnProfilesAnswer,
} from './answers.ts'
import type { ApiServices } from './api-services.ts'

const params = z.object({ profile: z.string().min(1).max(64) })
const flag = z.enum(['true', 'false']).default('false')
const check = flag.describe('Says what would change, and changes nothing')
const replace = flag.describe('Also where there is one of the name; else that is refused')
/** The parser of profiles says of each field what is wrong with it. */
const document = z.record(z.string(), z.unknown())

/** Profiles of the VPN (docs/specs/profiles.md). */
export function vpnProfileRoutes({ profiles }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/vpn/profiles',
      scope: 'vpn:read',
      summary: 'The profiles of the VPN, those that are built in first.',
      response: vpnProfilesAnswer,
      handler: () => ({ schemaVersion: 1 as const, profiles: profiles.list(), pending: profiles.pending }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/vpn/profiles/:profile',
      scope: 'vpn:read',
      summary: 'One profile: what it says, and what that means on this node.',
      params,
      response: vpnProfileAnswer,
      handler: (input) => ({ schemaVersion: 1 as const, profile: profiles.get(input.params.profile) }),
    }),
    defineRoute({
      method: 'PUT',
      url: '/api/v1/vpn/profiles/:profile',
      scope: 'vpn:admin',
      summary: 'Creates a profile or, with replace, gives one these fields and no others.',
      params,
      query: z.strictObject({ replace, check }),
      body: document.describe('Fields of a profile'),
      response: changedVpnProfileAnswer,
      handler: async ({ params: { profile }, query, body }) => ({
        schemaVersion: 1 as const,
        ...(await profiles.put(profile, body, putOptions(query))),
      }),
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/vpn/profiles/:profile',
      scope: 'vpn:admin',
      summary: 'Deletes a profile that is not in use.',
      params,
      response: deletedVpnProfileAnswer,
      handler: async (input) => {
        await profiles.delete(input.params.profile)
        return { schemaVersion: 1 as const, deleted: input.params.profile }
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/vpn/profiles/:profile/use',
      scope: 'vpn:use',
      summary: 'Uses a profile from now on; new routes follow it at once.',
      params,
      response: changedVpnProfileAnswer,
      handler: async (input) => ({ schemaVersion: 1 as const, ...(await profiles.use(input.params.profile)) }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/vpn/profiles/:profile/export',
      scope: 'vpn:read',
      summary: 'The document of a profile for other nodes, without what names this machine.',
      params,
      response: vpnProfileDocumentAnswer,
      handler: (input) => profiles.export(input.params.profile),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/vpn/profiles/import',
      scope: 'vpn:admin',
      summary: 'Creates a profile, or replaces one, from a document that was exported.',
      query: z.strictObject({
        replace,
        check,
        name: z.string().max(64).optional().describe('By default the one in the document'),
      }),
      body: document.describe('A document as `export` answers'),
      response: importedVpnProfileAnswer,
      handler: async ({ query, body }) => ({
        schemaVersion: 1 as const,
        ...(await profiles.import(body, { ...putOptions(query), name: query.name })),
      }),
    }),
  ]
}

function putOptions(query: { readonly replace: string; readonly check: string }): {
  readonly mode: 'create' | 'replace'
  readonly check: boolean
} {
  return { mode: query.replace === 'true' ? 'replace' : 'create', check: query.check === 'true' }
}
