/** A library that does what Pool does, on worker threads: the same function, the same number of workers, the same checks. */
export interface Rival {
  readonly name: string
  /** Starts its workers and waits until each has answered once. */
  open(workers: number): Promise<RivalPool>
}

export interface RivalPool {
  square(n: number): Promise<number>
  /** Lets every worker run on this core only. */
  sit(core: number): Promise<void>
  close(): Promise<void>
}
