import { piscina } from './piscina.js'
import type { Rival } from './rival.js'
import { tinypool } from './tinypool.js'
import { workerpool } from './workerpool.js'

export const rivals: readonly Rival[] = [piscina, tinypool, workerpool]
