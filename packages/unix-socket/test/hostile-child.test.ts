import * as context from '@mp/unix-socket'
import { describeHostileChildren } from '../../child-process/test/hostile-child.js'

describeHostileChildren(context)
