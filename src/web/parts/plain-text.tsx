import { visible } from './visible.ts'

/** Text that came from outside, on one line or many: only ever text, and what steers terminals or turns lines around shown. */
export function PlainText({ text }: { readonly text: string }) {
  return <bdi className="plain-text">{visible(text)}</bdi>
}
