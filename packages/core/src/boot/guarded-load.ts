import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import { type AnyFunction, type FunctionReference, takeLocal } from '../process/function-reference.js'
import { loadTarget } from '../process/load-target.js'

/**
 * Loads the target of a child. Rejects with MP_BAD_TARGET, at once, where its module starts a process while it is imported: each
 * child would start another one. Otherwise rejects as {@link loadTarget}.
 */
export async function loadGuarded(context: Context, reference: FunctionReference): Promise<AnyFunction> {
  if ('local' in reference) return takeLocal(reference)
  const { module } = reference
  let refuse!: (error: MpError) => void
  const refused = new Promise<never>((_, reject) => {
    refuse = reject
  })
  refused.catch(() => {})
  let refusal: MpError | undefined
  context.onUnguardedStart = name => {
    refusal = new MpError(
      'MP_BAD_TARGET',
      `${module} starts a process (${name}) whenever it is imported, so also in its child: put what only the main program shall do inside \`if (isMainProcess) { ... }\``,
    )
    refuse(refusal)
    return refusal
  }
  try {
    const target = await Promise.race([loadTarget(reference), refused])
    if (refusal) throw refusal
    return target
  } catch (error) {
    // The import may have failed because of the refused start. Then the refusal is the cause that helps the user.
    throw refusal ?? error
  } finally {
    context.onUnguardedStart = undefined
  }
}
