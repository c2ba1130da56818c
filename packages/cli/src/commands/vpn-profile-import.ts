import { readProfileDocument } from '@weft/node'
import { ProfileDesk } from '../daemon/profile-desk.ts'
import { tellUse } from '../daemon/tell-use.ts'
import { changeLines, warningLines } from '../output/profile-lines.ts'
import type { Invocation } from '../program/invocation.ts'
import { readSmallFile } from '../program/read-small-file.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const desk = new ProfileDesk(invocation)
  const query = { replace: invocation.flag('replace'), check: invocation.flag('check') }
  const document = await readProfileDocument(await readSmallFile(invocation, invocation.argument(0)))
  const answer = await desk.import(document, query, invocation.text('name'))
  output.document({ ...answer })
  const { profile, created, changes, checked, leftOut } = answer
  if (leftOut.length > 0) output.note(`Left out where it is from, as it names that machine: ${leftOut.join(', ')}`)
  if (!checked) {
    const done = `The profile ${profile.name} is ${created ? 'created' : 'replaced'}.`
    await tellUse(invocation, done, answer, desk.isRunning)
    return
  }
  output.note(
    `The profile ${profile.name} would be ${created ? 'created' : changes.length === 0 ? 'as it is' : 'changed'}:`,
  )
  output.print(...changeLines(changes))
  for (const line of warningLines(profile.warnings, output)) output.note(line)
}
