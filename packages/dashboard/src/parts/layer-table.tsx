import { LAYERS, type LayerNode } from './layers.ts'

/** How many nodes each layer has, and how they are. */
export function LayerTable({ nodes }: { nodes: readonly LayerNode[] }) {
  const own = nodes.find(({ self }) => self)?.layer
  return (
    <div className="scroll">
      <table>
        <caption>Layers of the mesh, from the inside</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Nodes</th>
            <th scope="col">Linked</th>
            <th scope="col">Suspected</th>
          </tr>
        </thead>
        <tbody>
          {LAYERS.map(({ name, title, who }) => {
            const all = nodes.filter(({ layer }) => layer === name)
            const linked = all.filter(({ self, state }) => !self && state === 'connected').length
            return (
              <tr key={name} data-layer={name}>
                <th scope="row">
                  {title}
                  <span className="quiet"> {who}</span>
                  {own === name && <span className="quiet">; this node is one</span>}
                </th>
                <td className="number">{all.length}</td>
                <td className="number">{name === 'client' ? '–' : linked}</td>
                <td className="number">{name === 'client' ? '–' : all.filter(({ suspect }) => suspect).length}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
