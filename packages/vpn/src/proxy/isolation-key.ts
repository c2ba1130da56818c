/** One text for a user and password, the same whichever protocol they came by; each has 255 bytes at most. */
export function isolationKey(user: Uint8Array, password: Uint8Array): string {
  return Buffer.concat([Uint8Array.of(user.length), user, Uint8Array.of(password.length), password]).toString('base64')
}
