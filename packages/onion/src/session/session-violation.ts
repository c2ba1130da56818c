/** Thrown inside a session when the other side breaks docs/specs/session.md; `Session.receive` turns it into CLOSE 2. */
export class SessionViolation extends Error {
  override readonly name = 'SessionViolation'
}
