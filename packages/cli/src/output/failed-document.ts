import { WeftError, type WeftErrorInit } from '@weft/core'

/** The failure of a command that has something to tell all the same: with --json its fields stand beside the error. */
export class FailedDocument extends WeftError {
  readonly fields: Readonly<Record<string, unknown>>

  constructor(init: WeftErrorInit, fields: Readonly<Record<string, unknown>>) {
    super(init)
    this.fields = fields
  }
}
