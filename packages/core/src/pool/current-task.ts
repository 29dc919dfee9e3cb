/** The task of a Pool that this context is at, as the called function sees it. */
export class CurrentTask {
  #aborted = false
  #reason: unknown
  #controller: AbortController | undefined

  /**
   * Aborts when nobody waits for the task any more: its caller's signal was aborted, or its timeout has passed. From then on the
   * worker has a grace period.
   */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** @internal */
  get aborted(): boolean {
    return this.#aborted
  }

  /** @internal */
  abort(reason: unknown): void {
    this.#aborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
