import * as context from '@mp/child-process'
import { describeHostileChildren } from './hostile-child.js'

describeHostileChildren(context)
