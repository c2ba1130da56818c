import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdmissionState } from '@weft/overlay'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import { INTERNET } from '../../src/simulation/link-profile.ts'
import { Simulation } from '../../src/simulation/simulation.ts'

const MEMBERS = 10
const MBIT = 125

function stateOf(simulation: Simulation, name: string): AdmissionState | undefined {
  return simulation.nodes.find((node) => node.name === name)?.overlay?.admission()
}

test('a slow node loses the role that asks for more, keeps the others, and has it again when its line is faster', async (t) => {
  const slow = new Map<string, number>()
  using simulation = new Simulation({
    seed: 'slow',
    members: MEMBERS,
    certificateTtlMs: 120_000,
    links: { ...INTERNET, slow },
    minimums: { mailbox: { bandwidthMbps: 20 }, storage: { bandwidthMbps: 1 } },
    change: ({ name }) => (name.startsWith('n') ? { roles: ['storage', 'mailbox'] } : {}),
  })
  const { address } = simulation.nodes.at(-1)?.plan.site ?? assert.fail()
  slow.set(address, 5 * MBIT)
  const begin = simulation.now
  await growNetwork(simulation, { members: MEMBERS, limitMs: 120_000 })
  t.diagnostic(`${MEMBERS} members after ${((simulation.now - begin) / 1_000).toFixed(1)} s`)
  const name = simulation.nodes.at(-1)?.name ?? assert.fail()
  const [first] = simulation.running()
  for (const member of first?.overlay?.membership.members() ?? []) {
    const node = simulation.nodes.find(({ id }) => id === member.id)
    const wanted = node?.plan.roles ?? []
    assert.deepEqual(member.roles, node?.name === name ? ['storage'] : wanted, node?.name ?? '')
  }
  const state = stateOf(simulation, name)
  assert.ok(state?.state === 'certified')
  assert.deepEqual(
    state.demoted?.map(({ role, code }) => [role, code]),
    [['mailbox', 'E_ROLE_MINIMUM']],
  )
  assert.match(state.demoted?.[0]?.cause ?? '', /asks at least 20 Mbit\/s .* no more than [1-5] Mbit\/s/)

  slow.delete(address)
  const has = (): boolean => {
    const renewed = stateOf(simulation, name)
    return renewed?.state === 'certified' && renewed.demoted === undefined
  }
  await simulation.until('a renewal measures it again', has, 120_000)
})

test('a node that claims a region in which it cannot be is refused, and others are not', async () => {
  // A test of its own for each place: the plan puts them round.
  const places = ['eu-west', 'eu-central', 'us-east', 'australia'] as const
  const between: Readonly<Record<string, number>> = {
    'eu-central eu-west': 9,
    'eu-west us-east': 38,
    'eu-central us-east': 45,
    'australia eu-west': 140,
    'australia eu-central': 145,
    'australia us-east': 100,
  }
  let count = 0
  using simulation = new Simulation({
    seed: 'regions',
    members: MEMBERS,
    links: {
      ...INTERNET,
      latencyMs: (from, to) => (from === to ? 3 : (between[[from, to].toSorted().join(' ')] ?? 60)),
    },
    change: ({ name, site }) => {
      const region = places[count++ % places.length] ?? 'eu-west'
      const moved = { ...site, region }
      // The last two are in Europe and in America; one says that it is elsewhere, one says what nobody can check.
      if (name === 'n6') return { site: { ...site, region: 'eu-west' }, region: 'australia' }
      if (name === 'n5') return { site: moved, region: 'atlantis' }
      return { site: moved, region }
    },
  })
  await growNetwork(simulation, { members: MEMBERS - 1, limitMs: 60_000 })
  const liar = simulation.nodes.at(-1) ?? assert.fail()
  await simulation.start(liar)
  const isRefused = (): boolean => liar.overlay?.admission().state === 'refused'
  await simulation.until('the one that lies is refused', isRefused, 60_000)
  const state = liar.overlay?.admission()
  assert.ok(state?.state === 'refused')
  assert.equal(state.fault.code, 'E_ADMISSION_REGION')
  assert.match(state.fault.cause, /says that it is in australia, and answered this validator in (eu|us)-/)
  assert.equal(simulation.nodes[0]?.overlay?.membership.isMember(liar.id), false)
})

test('a node that lets in validators only is refused, as members dial it too, and is admitted once it lets in all', async () => {
  const hidden = { address: '', isOpen: false }
  const doors = new Set<string>()
  using simulation = new Simulation({
    seed: 'hidden',
    members: MEMBERS,
    links: {
      ...INTERNET,
      drops: (from, to) => to.address === hidden.address && !hidden.isOpen && !doors.has(from.address),
    },
  })
  const [first] = simulation.nodes
  const node = simulation.nodes.at(-1) ?? assert.fail()
  hidden.address = node.plan.site.address
  for (const { plan } of simulation.nodes) if (plan.roles.includes('validator')) doors.add(plan.site.address)
  await growNetwork(simulation, { members: MEMBERS - 1, limitMs: 60_000 })
  await simulation.start(node)
  const stateOfIt = (): AdmissionState | undefined => node.overlay?.admission()
  await simulation.until('it is refused', () => stateOfIt()?.state === 'refused', 120_000)
  const state = stateOfIt()
  assert.ok(state?.state === 'refused')
  assert.equal(state.fault.code, 'E_ADMISSION_UNREACHABLE')
  assert.match(state.fault.cause, /members other than the validators did not reach the applicant/)
  hidden.isOpen = true
  await simulation.until('it is a member', () => first?.overlay?.membership.isMember(node.id) === true, 120_000)
})
