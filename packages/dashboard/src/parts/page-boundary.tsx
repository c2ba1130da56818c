import { Component, type ReactNode } from 'react'
import type { Fault } from '@weft/core'
import { faultOf } from '../api/api-error.ts'
import { FaultNote } from './fault-note.tsx'

interface State {
  readonly fault: Fault | undefined
}

/** Shows why its children cannot be drawn, in their place: what is around them goes on. Give it a key to try again. */
export class PageBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { fault: undefined }

  static getDerivedStateFromError(error: unknown): State {
    return { fault: faultOf(error) }
  }

  override render(): ReactNode {
    return this.state.fault === undefined ? this.props.children : <FaultNote fault={this.state.fault} />
  }
}
