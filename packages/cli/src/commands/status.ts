import { counted } from '@weft/core'
import type { StatusAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { faultLines } from '../output/fault-lines.ts'
import { formatBytes, formatDuration } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { reachWords } from '../output/reach-words.ts'
import { s3Words } from '../output/s3-words.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const status = await openApi(invocation).json<StatusAnswer>('GET', '/api/v1/status', undefined, {
    signal: invocation.signal,
  })
  const { output } = invocation
  output.document({ ...status })
  output.print(...statusLines(status, output))
}

function statusLines(status: StatusAnswer, output: Output): string[] {
  const { node, network, term, map, peers, storage, s3, resources, ports, faults } = status
  const healthy = faults.length === 0
  const mapLine =
    map.epoch === undefined
      ? 'no signed map yet'
      : `map epoch ${map.epoch}, signed by ${map.signatures} of ${counted(map.validators, 'validator')} (${map.quorum} needed)`
  return [
    `${output.styled('bold', node.name === '' ? 'this node' : node.name)}  ${healthy ? output.styled('green', 'healthy') : output.styled('red', counted(faults.length, 'fault'))}`,
    `  node     ${node.id}`,
    `  roles    ${node.roles.length === 0 ? 'client' : node.roles.join(', ')}; ${admissionWords(status.admission)}`,
    ...(term.seated ? [`  seat     among the validators of term ${term.number}`] : []),
    `  reach    ${reachWords(status.reach)}`,
    `  network  ${network.name} (${network.id}${network.simulated ? ', simulated places' : ''})`,
    `  map      ${mapLine}`,
    `  peers    ${peers.connected} of ${peers.total} connected`,
    `  storage  holds ${counted(storage.shards, 'shard')}, ${formatBytes(storage.bytes)} of ${formatBytes(storage.quotaBytes)}${storage.damaged === 0 ? '' : `; ${storage.damaged} damaged`}`,
    `  s3       ${s3Words(s3)}`,
    `  daemon   version ${node.version}, process ${node.pid}, up ${formatDuration(node.uptimeMs)}, ${formatBytes(resources.rssBytes)} resident`,
    `  api      http://127.0.0.1:${ports.api}/  (weft dashboard opens it)`,
    `  home     ${node.home}`,
    ...(healthy ? [] : ['', ...faults.flatMap((fault) => faultLines(fault, output))]),
  ]
}

function admissionWords(admission: StatusAnswer['admission']): string {
  switch (admission.state) {
    case 'client':
      return 'needs no certificate'
    case 'applying':
      return `applying, ${admission.votes} of ${counted(admission.quorum, 'vote')}`
    case 'refused':
      return `refused (${admission.fault.code})`
    case 'certified':
      return `certified for ${formatDuration(admission.expiresAt - Date.now())}${admission.inMap ? '' : ', not in the map yet'}${(admission.demoted ?? []).map(({ role, cause, code }) => `\n           not as ${role}: ${cause} (${code}; weft check tells what to do)`).join('')}`
  }
}
