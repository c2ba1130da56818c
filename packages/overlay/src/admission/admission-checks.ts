import type { AdmissionCheck } from './admission-check.ts'
import { attestationCheck } from './checks/attestation-check.ts'
import { beaconKeyCheck } from './checks/beacon-key-check.ts'
import { answerClockCheck, applicationClockCheck } from './checks/clock-check.ts'
import { conformanceCheck } from './checks/conformance-check.ts'
import { measuredCheck } from './checks/measured-check.ts'
import { minimumsCheck } from './checks/minimums-check.ts'
import { networkCheck } from './checks/network-check.ts'
import { othersCheck } from './checks/others-check.ts'
import { packetsCheck } from './checks/packets-check.ts'
import { placeCheck } from './checks/place-check.ts'
import { policyCheck } from './checks/policy-check.ts'
import { positionCheck } from './checks/position-check.ts'
import { reachabilityCheck } from './checks/reachability-check.ts'
import { regionCheck } from './checks/region-check.ts'
import { relaysCheck } from './checks/relays-check.ts'
import { revokedCheck } from './checks/revoked-check.ts'
import { seatCheck } from './checks/seat-check.ts'
import { signatureCheck } from './checks/signature-check.ts'
import { termCheck } from './checks/term-check.ts'

/** Every check of admission, in order: what costs nothing first, so that nobody makes a validator dial by lying cheaply. */
export const ADMISSION_CHECKS: readonly AdmissionCheck[] = [
  signatureCheck,
  networkCheck,
  applicationClockCheck,
  termCheck,
  revokedCheck,
  minimumsCheck,
  positionCheck,
  packetsCheck,
  relaysCheck,
  placeCheck,
  policyCheck,
  beaconKeyCheck,
  attestationCheck,
  reachabilityCheck,
  othersCheck,
  answerClockCheck,
  regionCheck,
  conformanceCheck,
  measuredCheck,
  seatCheck,
]
