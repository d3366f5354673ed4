import { describe, expect, test } from 'vitest'
import { readSignature } from '../../../src/core/trigger/signature.ts'

describe('readSignature()', () => {
  test.each<[written: string, answer: string]>([
    ['github', 'hmac x-hub-signature-256'],
    ['GitHub', 'hmac x-hub-signature-256'],
    ['stripe', 'timestamped stripe-signature'],
    ['pagerduty', 'hmac x-pagerduty-signature'],
    ['gitlab', 'token x-gitlab-token'],
    ['bearer', 'token authorization'],
    ['X-Acme-Signature', 'hmac x-acme-signature'],
    ['hmac X-Acme', 'hmac x-acme'],
    ['timestamped  X-Acme-Sig', 'timestamped x-acme-sig'],
    ['token X-Acme-Token', 'token x-acme-token'],
    ['githubb', 'no: it is none of'],
    ['hmac', 'no: "hmac" needs the name of a header'],
    ['sha1 X-Acme', 'no: it is none of'],
    ['hmac X Y', 'no: it is none of'],
    ['hmac Content-Type', 'no: "content-type" is not a header that can carry a signature'],
    ['hmac X:Y', 'no: "x:y" is not a header'],
    ['constructor', 'no: it is none of'],
    ['', 'no: '],
  ])('%j → %s', (written, answer) => {
    const read = readSignature(written)
    expect(read.ok ? `${read.scheme.kind} ${read.scheme.header}` : `no: ${read.reason}`).toContain(answer)
  })
})
