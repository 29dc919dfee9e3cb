import library from 'workerpool'
import { sit, square } from './rival-worker.js'

library.worker({ square, sit })
