export type { Credential, CredentialScope, Credentials } from './auth/credentials.ts'
export type { Owner } from './exchange.ts'
export { S3Server, type S3ServerInit } from './s3-server.ts'
