import { readFileSync } from 'node:fs'

/** A Linux process flag: the process is over, but the kernel may still be closing its descriptors. */
const EXITING = 0x4

/** Whether `pid`, which was the parent of this process, has ended. That a descriptor to it is closed proves nothing. */
export function isParentGone(pid: number): boolean {
  if (process.ppid !== pid) return true
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Behind the name, which may contain anything, come: state, ppid, pgrp, session, tty, tpgid, flags.
    const flags = stat.slice(stat.lastIndexOf(')')).split(' ')[7]
    return (Number(flags) & EXITING) !== 0
  } catch {
    // This system has no /proc.
    return false
  }
}
