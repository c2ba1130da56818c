import * as z from 'zod'
import { INVITATION_NAME } from '@weft/bridge'
import { WeftError } from '@weft/core'
import type { BridgeRole } from '../daemon/start-bridge.ts'
import { type Route, defineRoute } from '../http/route.ts'
import { bridgeAnswer, newBridgeInvitationAnswer, revokedBridgeInvitationAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'

const name = z.string().regex(INVITATION_NAME, 'must be 1 to 64 letters, digits, dots, dashes, underscores')

/** Bridges: those that this client calls by, and what this node does as one. */
export function bridgeRoutes({ bridgeRole, bridges }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/bridge',
      scope: 'bridge:read',
      summary: 'The bridges that this node calls by, and what it does as a bridge; without any secret.',
      response: bridgeAnswer,
      handler: () => ({
        schemaVersion: 1 as const,
        bridges: bridges?.dialer.status() ?? [],
        ...(bridgeRole === undefined
          ? {}
          : { role: { ...bridgeRole.status(), pin: bridgeRole.pin, invitations: bridgeRole.invitations() } }),
      }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/bridge/invitations',
      scope: 'bridge:admin',
      summary: 'Makes an invitation to this bridge. Its line is in this answer and nowhere else.',
      body: z.strictObject({
        name,
        address: z.string().max(64).optional().describe('IP address of this bridge; default bridge.address'),
      }),
      response: newBridgeInvitationAnswer,
      handler: ({ body }) => ({
        schemaVersion: 1 as const,
        ...requireRole(bridgeRole).invite(body.name, body.address),
      }),
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/bridge/invitations/:invitation',
      scope: 'bridge:admin',
      summary: 'Revokes an invitation by its id or name, and ends its streams.',
      params: z.object({ invitation: z.string().min(1).max(64) }),
      response: revokedBridgeInvitationAnswer,
      handler: ({ params }) => ({
        schemaVersion: 1 as const,
        revoked: requireRole(bridgeRole).revoke(params.invitation),
      }),
    }),
  ]
}

function requireRole(role: BridgeRole | undefined): BridgeRole {
  if (role !== undefined) return role
  throw new WeftError({
    code: 'E_BRIDGE_OFF',
    cause: 'This node is no bridge.',
    fix: 'Set bridge.enabled = true in its weft.toml and start it again; it has to be a client (no roles).',
  })
}
