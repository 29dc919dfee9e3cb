const spinTime = 5 // ms: more than a tick of the scheduler

/**
 * Both ends of a ping-pong spin for a moment before every 50 trips, so that the scheduler puts them on two cores. Where they sit
 * otherwise is luck, it lasts, and it decides over a factor of nine: waking a thread of the same core costs microseconds,
 * waking an idle core some 80.
 */
export function spin(): void {
  for (const end = performance.now() + spinTime; performance.now() < end; );
}
