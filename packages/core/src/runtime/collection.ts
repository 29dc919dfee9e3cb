/** What is behind a handle. Wires, and tables of its context, reference it. */
export interface Collectable {
  /** Nobody references the handle any more, and no call of it waits. What was sent through it must still arrive. */
  collected(): void
}

const handles = new FinalizationRegistry<Collectable>(inner => inner.collected())

/**
 * Tells `inner` when nobody references `handle` any more. `inner` must reference the handle only through calls that wait: so a
 * handle lives as long as somebody can still be answered.
 */
export function watchHandle(handle: object, inner: Collectable): void {
  handles.register(handle, inner, handle)
}

/** The handle was closed. */
export function unwatchHandle(handle: object): void {
  handles.unregister(handle)
}
