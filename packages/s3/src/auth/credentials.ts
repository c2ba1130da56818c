/** What whoever has a key may do. */
export interface CredentialScope {
  /** Names of buckets; 'all' for those that are yet to come as well. */
  readonly buckets: 'all' | ReadonlySet<string>
  readonly access: 'read' | 'write'
}

export interface Credential {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly scope: CredentialScope
}

/** Where keys are kept. Asked for each request, so a key that was revoked ends with the request under way. */
export interface Credentials {
  find(accessKeyId: string): Credential | undefined
}
