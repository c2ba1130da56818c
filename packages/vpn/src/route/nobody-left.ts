/** The error of a position that nobody can take. */
export const NOBODY = { entry: 'E_NO_ENTRY', relay: 'E_NO_RELAY', exit: 'E_NO_EXIT' } as const

/** No member can take a position: only another map mends that. */
export function isNobodyLeft(code: string): boolean {
  return Object.values<string>(NOBODY).includes(code)
}
