import type { Verb } from '../command.ts'

export const serve: Verb<{ readonly welcome?: boolean }> = ({ ports }, _args, { welcome }) =>
  ports.serve({ welcome: welcome === true })
