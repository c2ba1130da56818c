import { ProfileDesk } from '../daemon/profile-desk.ts'
import { tellUse } from '../daemon/tell-use.ts'
import type { Invocation } from '../program/invocation.ts'
import { FIELD_NAMES, givenFields } from '../program/profile-fields.ts'
import { usageError } from '../program/usage-error.ts'

export async function run(invocation: Invocation): Promise<void> {
  const desk = new ProfileDesk(invocation)
  const name = invocation.argument(0)
  const given = givenFields(invocation)
  const unset = unsetFields(invocation, given)
  const { fields } = await desk.get(name)
  const kept = Object.entries(fields).filter(([field]) => !unset.has(field))
  const changed = await desk.put(name, { ...Object.fromEntries(kept), ...given }, { replace: true, check: false })
  invocation.output.document({ ...changed })
  const done = changed.changes.length === 0 ? `The profile ${name} says so already.` : `The profile ${name} is changed.`
  await tellUse(invocation, done, changed, desk.isRunning)
}

/** @throws WeftError E_USAGE */
function unsetFields(invocation: Invocation, given: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const unset = new Set(invocation.texts('unset'))
  if (unset.size === 0 && Object.keys(given).length === 0)
    throw usageError('Nothing is given that is to be set.', 'Give a field such as --hops 4, or --unset hops.')
  for (const field of unset) {
    if (!(FIELD_NAMES as readonly string[]).includes(field))
      throw usageError(
        `--unset '${field.slice(0, 64)}' is no field of a profile.`,
        `Its fields are ${FIELD_NAMES.join(', ')}.`,
      )
    if (field in given) throw usageError(`${field} is to be set and left out at once.`, 'Give one of both.')
  }
  return unset
}
