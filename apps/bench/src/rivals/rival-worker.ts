import { sitOn } from '../core.js'

export { square } from '../targets/square.js'

export function sit(core: number): void {
  sitOn(core)
}
