import { devnetStatus, type DevnetStatus } from '@weft/devnet'
import { formatBytes, shortId } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { formatTable } from '../output/table.ts'
import { requestedDevnet } from '../program/devnet-options.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const state = requestedDevnet(invocation)
  const status = await devnetStatus(state, signal)
  output.document({
    dir: state.directory,
    running: status.running,
    members:
      status.view === undefined
        ? null
        : { total: status.view.members, missing: status.view.missing, unconnected: status.view.unconnected },
    nodes: status.nodes.map(({ name, id, roles, client, pid, home, ports, memory }) => ({
      name,
      id,
      roles: client ? ['client'] : roles,
      state: pid === undefined ? 'stopped' : 'running',
      pid: pid ?? null,
      home,
      ports,
      seated: status.view?.seated.includes(name) ?? null,
      rssBytes: memory?.rssBytes ?? null,
      pssBytes: memory?.pssBytes ?? null,
    })),
  })
  output.print(...statusLines(status, output))
  output.note(summary(status, state.directory))
}

function statusLines({ nodes, view }: DevnetStatus, output: Output): string[] {
  return formatTable(
    ['NODE', 'ID', 'ROLES', 'SEAT', 'STATE', 'PID', 'API', 'PROXY', 'MEMORY'],
    nodes.map(({ name, id, roles, client, pid, ports, memory }) => [
      name,
      shortId(id),
      client ? 'client' : roles.join(','),
      seatWord(view, name),
      stateWord(pid !== undefined, view?.missing.includes(name) === true, output),
      pid === undefined ? '-' : String(pid),
      String(ports.api),
      client ? String(ports.proxy) : '-',
      memory === undefined ? '-' : formatBytes(memory.pssBytes ?? memory.rssBytes),
    ]),
  )
}

function seatWord(view: DevnetStatus['view'], name: string): string {
  if (view === undefined) return '?'
  return view.seated.includes(name) ? 'yes' : '-'
}

function stateWord(alive: boolean, missing: boolean, output: Output): string {
  if (!alive) return output.styled('red', 'stopped')
  return missing ? output.styled('yellow', 'not in map') : output.styled('green', 'running')
}

function summary({ running, nodes, view }: DevnetStatus, directory: string): string {
  if (!running) return `The devnet in ${directory} does not run. Start it: weft devnet up --dir ${directory}`
  const alive = nodes.filter(({ pid }) => pid !== undefined).length
  const bytes = nodes.reduce((sum, { memory }) => sum + (memory?.pssBytes ?? memory?.rssBytes ?? 0), 0)
  const members =
    view === undefined
      ? 'no client answers'
      : `${view.members - view.missing.length} of ${view.members} members in the signed map`
  return `${alive} of ${nodes.length} nodes run, ${members}, ${formatBytes(bytes)} of memory in all.`
}
