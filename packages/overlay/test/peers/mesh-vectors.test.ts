import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import type { Layer, MeshNode } from '../../src/peers/layer.ts'
import { Mesh } from '../../src/peers/mesh.ts'

interface MeshVector {
  readonly name: string
  readonly members: readonly { readonly key: string; readonly layer: Layer }[]
  readonly neighbours: readonly (readonly number[])[]
}

const { vectors } = JSON.parse(readFileSync(new URL('../vectors/mesh.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly MeshVector[]
}

for (const { name, members, neighbours } of vectors) {
  test(`the neighbours of every member are those of the vector: ${name}`, () => {
    const nodes = members.map(({ key, layer }): MeshNode => ({
      id: toDidKey(fromHex(key)),
      roles: layer === 'core' ? ['entry', 'storage'] : ['storage'],
    }))
    const seats = nodes.filter((_, at) => members[at]?.layer === 'validator').map(({ id }) => id)
    const mesh = new Mesh(nodes, seats)
    const indexes = new Map(nodes.map(({ id }, at) => [id, at]))
    for (const [at, { id }] of nodes.entries()) {
      const found = [...mesh.neighbours(id)].map((other) => indexes.get(other) as number)
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        neighbours[at],
      )
    }
  })
}
