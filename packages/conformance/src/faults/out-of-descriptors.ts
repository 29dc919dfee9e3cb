import assert from 'node:assert/strict'
import { runProgram } from '../program.js'
import { tell } from './usage.js'

/** Lets descriptors run out in another program, which has a low limit. */
export async function outOfDescriptors(module: string): Promise<void> {
  const { code, stdout, stderr } = await runProgram('out-of-descriptors', module, {}, { descriptors: 40 })
  assert.equal(stderr, '')
  assert.equal(code, 0, stdout)
  const { started, refused, afterwards, left } = JSON.parse(stdout)
  tell(`${started} children started, ${refused} refused for want of descriptors, ${left} left`)
  assert.ok(started > 0 && refused > 0, 'the descriptors did not run out')
  assert.equal(afterwards, 'started')
  assert.equal(left, 0)
}
