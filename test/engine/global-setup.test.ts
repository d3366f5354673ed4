import { Connection } from '@temporalio/client'
import { expect, inject, test } from 'vitest'
import { SEARCH_ATTRIBUTES } from '../../src/engine/search-attributes.ts'

test('the shared server has our search attributes and keeps closed runs for 30 days', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') })
  const namespace = 'default'
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)))
  const { config } = await connection.workflowService.describeNamespace({ namespace })
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400)
  await connection.close()
})
