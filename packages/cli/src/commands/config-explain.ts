import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const { explainSection, explainSetting } = await import('@weft/node')
  const key = invocation.args[0]
  const settings = explainSection(key)
  if (settings.length > 0) {
    output.document({ settings })
    const width = Math.max(...settings.map((setting) => setting.key.length))
    output.print(...settings.map((setting) => `${setting.key.padEnd(width)} ${setting.summary}`))
    return
  }
  const setting = explainSetting(key ?? '')
  output.document({ ...setting })
  output.print(
    `${output.styled('bold', setting.key)}: ${setting.summary}`,
    `  value        ${setting.syntax}`,
    `  default      ${setting.fallback ?? setting.absent ?? 'none'}`,
    `  weft.toml    [${setting.key.split('.')[0] ?? ''}] ${setting.key.split('.')[1] ?? ''} = …`,
    `  environment  ${setting.variable}`,
    ...(setting.flag === undefined ? [] : [`  flag         weft start ${setting.flag} …`]),
  )
}
