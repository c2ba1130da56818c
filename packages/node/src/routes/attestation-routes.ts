import * as z from 'zod'
import { fromDidKey, toDidKey } from '@weft/crypto'
import { ENERGY_SOURCES, GRID, MAX_CARBON, formatAttestation } from '@weft/overlay'
import { type Route, defineRoute } from '../http/route.ts'
import { attestationAnswer } from './answers.ts'
import type { ApiServices } from './api-services.ts'
import { nodeId } from './schemas.ts'

const YEAR_MS = 365 * 86_400_000

/** What attesters sign of the energy of members (docs/specs/resources.md). */
export function attestationRoutes({ attest, clock }: ApiServices): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/network/attestations',
      scope: 'network:attest',
      summary: 'Signs what is said of the energy of a node, with a key that the network file names as an attester.',
      body: z
        .strictObject({
          node: nodeId.describe('Of whom it is said'),
          grid: z.string().regex(GRID).optional().describe('Country, or a zone of its grid'),
          source: z.enum(ENERGY_SOURCES).optional(),
          carbon: z.int().min(0).max(MAX_CARBON).optional().describe('gCO2/kWh, a yearly mean'),
          ttlMs: z
            .int()
            .min(1_000)
            .max(5 * YEAR_MS)
            .optional()
            .describe('ms for which it holds; default a year'),
        })
        .refine(
          ({ grid, source, carbon }) => grid !== undefined || source !== undefined || carbon !== undefined,
          'says neither grid, source nor carbon',
        ),
      response: attestationAnswer,
      handler: ({ body: { node, grid, source, carbon, ttlMs = YEAR_MS } }) => {
        const notAfter = clock.now() + ttlMs
        const envelope = attest({
          member: fromDidKey(node),
          notAfter,
          ...(grid === undefined ? {} : { grid }),
          ...(source === undefined ? {} : { source }),
          ...(carbon === undefined ? {} : { carbon }),
        })
        return {
          schemaVersion: 1 as const,
          attestation: formatAttestation(envelope),
          node,
          attester: toDidKey(envelope.signer),
          notAfter,
        }
      },
    }),
  ]
}
