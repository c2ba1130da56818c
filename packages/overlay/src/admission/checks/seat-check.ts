import { decodeInvitation, invitationId } from '../../invitation/invitation.ts'
import type { AdmissionCheck } from '../admission-check.ts'
import { requiresProof } from '../requires-proof.ts'

/**
 * Takes the seat of the invitation that the vote is for. Last of all checks: who fails another one uses up nothing. Seats
 * were counted before, but somebody else may have taken the last one meanwhile.
 */
export const seatCheck: AdmissionCheck = {
  name: 'seat',
  run(admission) {
    const { proof, body } = admission.application
    if (proof?.way !== 'invite' || !requiresProof(admission)) return
    const { payload } = proof.envelope
    const { uses } = decodeInvitation(payload)
    const seat = { invitation: invitationId(payload), uses, key: body.key }
    admission.seats.take(seat, body.expiresAt, admission.renewal)
  },
}
