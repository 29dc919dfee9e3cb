import { MpError, type SpawnOptions } from '@mp/core/spi'

/** The limits as flags of V8. The young generation has three semi-spaces. */
export function limitingFlags(limits: SpawnOptions['resourceLimits'] = {}): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack, codeRangeSizeMb } = limits
  if (codeRangeSizeMb !== undefined)
    throw new MpError('MP_NOT_SUPPORTED', 'resourceLimits.codeRangeSizeMb is for threads: a process has no such limit')
  return [
    ...(old === undefined ? [] : [`--max-old-space-size=${Math.max(1, Math.round(old))}`]),
    ...(young === undefined ? [] : [`--max-semi-space-size=${Math.max(1, Math.round(young / 3))}`]),
    ...(stack === undefined ? [] : [`--stack-size=${Math.max(1, Math.round(stack * 1024))}`]),
  ]
}
